"""Whether an account and region is bootstrapped, new enough, and lets the pipeline's account in.

All of it is read by the bootstrap's lookup role, which may read and nothing else: the deploy role, which the pipeline
uses later, is not assumed, so that whoever checks needs no right to deploy. Its trust policy is read instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.operate.account import Client
from mistral7b.project import DEFAULT_BOOTSTRAP, Bootstrap
from mistral7b.promotion.check.finding import Result
from mistral7b.promotion.regions import partition

NEEDED_VERSION = 8
"""Of the bootstrap stack: the lookup role's, which is above that of the stacks, 6 (requiresBootstrapStackVersion in the
cloud assembly's manifests)."""

_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?")


@dataclass(frozen=True)
class Place:
    """An account and region that the pipeline deploys to, or is in itself."""

    account: str
    region: str
    used_by: tuple[str, ...]
    """`pipeline`, or environments."""
    pipeline_account: str
    """The account that has to be let in."""
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP
    """As the project's cdk.json names it."""

    def role(self, kind: str) -> str:
        """Name of one of the bootstrap's roles."""
        return self.bootstrap.role(kind, self.account, self.region)

    def role_arn(self, kind: str) -> str:
        """Its ARN."""
        return f"arn:{partition(self.region)}:iam::{self.account}:role/{self.role(kind)}"

    def command(self, trusted: frozenset[str] = frozenset()) -> str:
        """The command that bootstraps the place. `--trust` replaces what was trusted before, so that goes along."""
        own = f"aws://{self.account}/{self.region}{self.bootstrap.options}"
        accounts = sorted((trusted | {self.pipeline_account}) - {self.account})
        if not accounts:
            return f"cdk bootstrap {own}"
        trust = " ".join(f"--trust {account}" for account in accounts)
        policy = f"arn:{partition(self.region)}:iam::aws:policy/AdministratorAccess"
        return f"cdk bootstrap {own} {trust} --cloudformation-execution-policies {policy}"

    def fix(self, trusted: frozenset[str] = frozenset()) -> str:
        """The command, and whose credentials it takes."""
        return f"with an administrator's credentials of {self.account}: {self.command(trusted)}"


def check_bootstrap(place: Place, client: Client) -> Result:
    """What there is to say of the place's bootstrap. Raises ClientError."""
    version_name = f"/cdk-bootstrap/{place.bootstrap.qualifier}/version"
    try:
        version = int(client("ssm").get_parameter(Name=version_name)["Parameter"]["Value"])
        role = client("iam").get_role(RoleName=place.role("deploy"))["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ParameterNotFound", "NoSuchEntity"):
            raise
        return "refused", f"its bootstrap is damaged: {error}", place.fix()
    trusted = frozenset(_trusted(role["AssumeRolePolicyDocument"]))
    if version < NEEDED_VERSION:
        reason = f"its bootstrap is of version {version}, and {NEEDED_VERSION} is needed"
        return "refused", reason, place.fix(trusted)
    if place.pipeline_account not in trusted:
        reason = f"its role {place.role('deploy')} does not trust the pipeline's account, {place.pipeline_account}"
        return "refused", reason, place.fix(trusted)
    return "fine", f"version {version}, lets {place.pipeline_account} deploy", ""


def not_let_in(place: Place, error: ClientError) -> Result:
    """What there is to say where AWS refuses the lookup role, as it also does where there is none."""
    reason = f"its role {place.role('lookup')} lets nobody of {place.pipeline_account} in, or is not there"
    return "refused", f"{reason}; AWS says: {error.response['Error'].get('Message', error)}", place.fix()


def _trusted(policy: Mapping[str, Any]) -> Iterator[str]:
    """Accounts whose administrators decide who of them assumes the role."""
    for statement in policy["Statement"]:
        if statement["Effect"] == "Allow" and "sts:AssumeRole" in _listed(statement["Action"]):
            for principal in _listed(statement["Principal"].get("AWS", [])):
                if match := _ACCOUNT_PRINCIPAL.fullmatch(principal):
                    yield match[1]


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def denied(error: ClientError) -> bool:
    """Whether AWS refuses, which it also does where there is nothing."""
    return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
