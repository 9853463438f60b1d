"""The accounts and regions that a pipeline deploys to, and how the CDK's bootstrap prepares each."""

from dataclasses import dataclass

from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion.promotion import Promotion
from mistral7b.promotion.regions import partition


@dataclass(frozen=True)
class Place:
    """An account and region that the pipeline deploys to, or is in itself."""

    account: str
    region: str
    used_by: tuple[str, ...] = ()
    """`pipeline`, or environments."""
    pipeline_account: str = ""
    """The account that the others have to trust."""
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP
    """As the project's cdk.json names it."""

    def __str__(self) -> str:
        """As `cdk bootstrap` takes it."""
        return f"aws://{self.account}/{self.region}"

    def role_arn(self, kind: str) -> str:
        """ARN of one of the bootstrap's roles."""
        return f"arn:{partition(self.region)}:iam::{self.account}:role/{self.role(kind)}"

    def role(self, kind: str) -> str:
        """Name of the same."""
        return self.bootstrap.role(kind, self.account, self.region)

    def cdk_arguments(self, trusted: frozenset[str] = frozenset()) -> list[str]:
        """Arguments of `cdk` that bootstrap the place. `--trust` replaces the accounts trusted before: `trusted`."""
        arguments = ["bootstrap", str(self), *self.bootstrap.options.split()]
        accounts = sorted((trusted | {self.pipeline_account}) - {self.account})
        if not accounts:
            return arguments
        policy = f"arn:{partition(self.region)}:iam::aws:policy/AdministratorAccess"
        trust = [word for account in accounts for word in ("--trust", account)]
        return [*arguments, *trust, "--cloudformation-execution-policies", policy]


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
