"""Whether an account and region is bootstrapped, new enough, and lets the pipeline's account in.

All of it is read by the bootstrap's lookup role, which may read and nothing else: the deploy role, which the pipeline
uses later, is not assumed, so that whoever checks needs no right to deploy. Its trust policy is read instead.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.project import DEFAULT_QUALIFIER
from mistral7b.promotion.check.cloud import Cloud, Credentials
from mistral7b.promotion.check.finding import ASK_AGAIN, Finding, Status
from mistral7b.promotion.promotion import Promotion
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
    qualifier: str = DEFAULT_QUALIFIER
    """Of the bootstrap."""

    def role(self, kind: str) -> str:
        """Name of one of the bootstrap's roles."""
        return f"cdk-{self.qualifier}-{kind}-role-{self.account}-{self.region}"

    def callers(self, promotion: Promotion) -> list[str]:
        """Roles that the environments here name as callers."""
        here = [one for one in promotion.environments if (one.account, one.region) == (self.account, self.region)]
        return list(dict.fromkeys(role for one in here for role in one.environment.callers.role_names))

    def look(self, cloud: Cloud) -> Credentials:
        """Credentials of the lookup role, which may read (AWS's policy ReadOnlyAccess) and nothing else."""
        arn = f"arn:{partition(self.region)}:iam::{self.account}:role/{self.role('lookup')}"
        return cloud.assume(arn, self.region)

    def finding(self, detail: str, fix: str = "") -> Finding:
        """What was found here; refused where there is something to do."""
        status: Status = "refused" if fix else "fine"
        return Finding("bootstrap", self.used_by, self.account, self.region, status, detail, fix)

    def command(self, trusted: frozenset[str] = frozenset()) -> str:
        """The command that bootstraps the place. `--trust` replaces what was trusted before, so that goes along."""
        own = f"aws://{self.account}/{self.region}"
        accounts = sorted((trusted | {self.pipeline_account}) - {self.account})
        if not accounts:
            return f"cdk bootstrap {own}"
        trust = " ".join(f"--trust {account}" for account in accounts)
        policy = f"arn:{partition(self.region)}:iam::aws:policy/AdministratorAccess"
        return f"cdk bootstrap {own} {trust} --cloudformation-execution-policies {policy}"

    def fix(self, trusted: frozenset[str] = frozenset()) -> str:
        """The command, and whose credentials it takes."""
        return f"with an administrator's credentials of {self.account}: {self.command(trusted)}"


def check_bootstrap(cloud: Cloud, place: Place) -> Finding:
    """One finding on the place's bootstrap."""
    try:
        return _look_into(cloud, place)
    except (ClientError, BotoCoreError) as error:
        return place.finding(f"AWS could not be asked: {error}", ASK_AGAIN)


def _look_into(cloud: Cloud, place: Place) -> Finding:
    try:
        credentials = place.look(cloud)
    except ClientError as error:
        if not denied(error):
            raise
        return place.finding(_not_let_in(place, error), place.fix())
    ssm = cloud.client("ssm", place.region, credentials)
    try:
        version = int(ssm.get_parameter(Name=f"/cdk-bootstrap/{place.qualifier}/version")["Parameter"]["Value"])
        role = cloud.client("iam", place.region, credentials).get_role(RoleName=place.role("deploy"))["Role"]
    except ClientError as error:
        if _code(error) not in ("ParameterNotFound", "NoSuchEntity"):
            raise
        return place.finding(f"its bootstrap is damaged: {error}", place.fix())
    trusted = frozenset(_trusted(role["AssumeRolePolicyDocument"]))
    if version < NEEDED_VERSION:
        reason = f"its bootstrap is of version {version}, and {NEEDED_VERSION} is needed"
        return place.finding(reason, place.fix(trusted))
    if place.pipeline_account not in trusted:
        reason = f"its role {place.role('deploy')} does not trust the pipeline's account, {place.pipeline_account}"
        return place.finding(reason, place.fix(trusted))
    return place.finding(f"version {version}, lets {place.pipeline_account} deploy")


def _not_let_in(place: Place, error: ClientError) -> str:
    reason = f"its role {place.role('lookup')} lets nobody of {place.pipeline_account} in, or is not there"
    return f"{reason}; AWS says: {error.response['Error'].get('Message', error)}"


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
    return _code(error) in ("AccessDenied", "AccessDeniedException")


def _code(error: ClientError) -> str:
    return str(error.response["Error"]["Code"])
