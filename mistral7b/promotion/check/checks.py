"""All the checks of a pipeline, at the same time where they take long."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from mistral7b.project import DEFAULT_QUALIFIER
from mistral7b.promotion.check.bootstrap import Place, check_bootstrap
from mistral7b.promotion.check.callers import check_callers
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.connection import check_connection
from mistral7b.promotion.check.finding import Finding
from mistral7b.promotion.promotion import Promotion

_AT_ONCE = 8


def check(
    promotion: Promotion,
    cloud: Cloud,
    on_done: Callable[[Finding], None] = lambda _: None,
    qualifier: str = DEFAULT_QUALIFIER,
) -> list[Finding]:
    """Everything that the pipeline needs of its accounts, in the order of promotion.

    The credentials have to be those of the pipeline's account.

    Args:
        promotion: the pipeline and its environments.
        cloud: asks AWS.
        on_done: called with each finding as it comes, in any order.
        qualifier: of the accounts' bootstraps.
    """
    places = [replace(place, qualifier=qualifier) for place in _places(promotion)]
    checks = [partial(check_bootstrap, cloud, place) for place in places]
    checks += [partial(check_callers, cloud, place, promotion) for place in places if place.callers(promotion)]
    checks.append(partial(check_connection, cloud, places[0], promotion.settings))

    def run(one: Callable[[], Finding]) -> Finding:
        finding = one()
        on_done(finding)
        return finding

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(run, checks))


def _places(promotion: Promotion) -> Iterator[Place]:
    """Every account and region, the pipeline's first, each once with all that is in it.

    Where an environment is in another region, the pipeline's own account has a stack there, too: the artifacts' copies.
    """
    own = promotion.settings.account
    used: dict[tuple[str, str], list[str]] = {(own, promotion.settings.region): ["pipeline"]}
    for environment in promotion.environments:
        own_stack = used.setdefault((own, environment.region), [])
        if "pipeline" not in own_stack:
            own_stack.append("pipeline")
        used.setdefault((environment.account, environment.region), []).append(environment.name)
    for (account, region), users in used.items():
        yield Place(account, region, tuple(users), own)
