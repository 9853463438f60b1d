"""The accounts and regions that a pipeline deploys to, or is in itself."""

from mistral7b.operate.place import Place
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion.schema import Promotion

__all__ = ["Place", "places"]


def places(promotion: Promotion, bootstrap: Bootstrap = DEFAULT_BOOTSTRAP) -> list[Place]:
    """Every account and region, the pipeline's first, each once with all that is in it.

    Where an environment is in another region, the pipeline's own account has a stack there, too: CloudFormation of that
    region takes the templates from its bucket.
    """
    own = promotion.settings.account
    used: dict[tuple[str, str], list[str]] = {(own, promotion.settings.region): ["pipeline"]}
    for environment in promotion.environments:
        own_stack = used.setdefault((own, environment.region), [])
        if "pipeline" not in own_stack:
            own_stack.append("pipeline")
        used.setdefault((environment.account, environment.region), []).append(environment.name)
    return [Place(account, region, tuple(users), own, bootstrap) for (account, region), users in used.items()]
