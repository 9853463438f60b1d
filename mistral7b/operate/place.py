"""An account and region that is deployed to, and how the CDK's bootstrap prepares it."""

from dataclasses import dataclass

from mistral7b.catalog import partition
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap


@dataclass(frozen=True)
class Place:
    """An account and region that is deployed to, and how the CDK's bootstrap prepares it."""

    account: str
    region: str
    used_by: tuple[str, ...] = ()
    """`pipeline`, or environments."""
    pipeline_account: str = ""
    """The account that has to be trusted; the place's own, if there is no pipeline."""
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

    def cdk_arguments(self, trusted: frozenset[str] = frozenset(), policies: str = "") -> list[str]:
        """Arguments of `cdk` that bootstrap the place; its `--trust` replaces the accounts `trusted` before."""
        arguments = ["bootstrap", str(self), *self.bootstrap.options.split()]
        accounts = sorted((trusted | {self.pipeline_account}) - {self.account})
        if not accounts and not policies:
            return arguments
        policies = policies or f"arn:{partition(self.region)}:iam::aws:policy/AdministratorAccess"
        trust = [word for account in accounts for word in ("--trust", account)]
        return [*arguments, *trust, "--cloudformation-execution-policies", policies]
