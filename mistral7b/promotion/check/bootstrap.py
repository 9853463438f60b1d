"""Checks that an account and region is bootstrapped, new enough, and lets the pipeline's account in.

All of it is read by the bootstrap's lookup role, which may read and nothing else: the deploy role, which the pipeline
uses later, is not assumed, so that whoever checks needs no right to deploy. Its trust policy is read instead.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from botocore.exceptions import ClientError

from mistral7b.operate.account import Client
from mistral7b.operate.permissions import listed, principals
from mistral7b.promotion.places import Place
from mistral7b.yamlfile import Problem

Result = tuple[Literal["fine", "later", "refused"], str, str | list[Problem]]
"""Status, what is there, and the fix or the problems. `later`: the pipeline's deployment makes it."""

NEEDED_VERSION = 8
"""Of the bootstrap stack: the lookup role's, which is above that of the stacks, 6 (requiresBootstrapStackVersion in the
cloud assembly's manifests)."""

_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?")


def check_bootstrap(place: Place, client: Client) -> Result:
    """Checks the place's bootstrap. Raises ClientError."""
    version_name = f"/cdk-bootstrap/{place.bootstrap.qualifier}/version"
    try:
        version = int(client("ssm").get_parameter(Name=version_name)["Parameter"]["Value"])
        role = client("iam").get_role(RoleName=place.role("deploy"))["Role"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ParameterNotFound", "NoSuchEntity"):
            raise
        return "refused", f"its bootstrap is damaged: {error}", _fix(place)
    trusted = frozenset(_trusted(role["AssumeRolePolicyDocument"]))
    if version < NEEDED_VERSION:
        reason = f"its bootstrap is of version {version}, and {NEEDED_VERSION} is needed"
        return "refused", reason, _fix(place, trusted)
    if place.pipeline_account not in trusted:
        reason = f"its role {place.role('deploy')} does not trust the pipeline's account, {place.pipeline_account}"
        return "refused", reason, _fix(place, trusted)
    return "fine", f"version {version}, lets {place.pipeline_account} deploy", ""


def lookup_refused(place: Place, error: ClientError) -> Result:
    """The result where AWS refuses the lookup role, as it also does where there is none."""
    reason = f"its role {place.role('lookup')} does not trust {place.pipeline_account}, or does not exist"
    return "refused", f"{reason}; AWS says: {error.response['Error'].get('Message', error)}", _fix(place)


def _fix(place: Place, trusted: frozenset[str] = frozenset()) -> str:
    command = " ".join(place.cdk_arguments(trusted))
    return f"with an administrator's credentials of {place.account}: cdk {command}"


def _trusted(policy: Mapping[str, Any]) -> Iterator[str]:
    """Accounts whose administrators decide who of them assumes the role."""
    for statement in listed(policy["Statement"]):
        if statement["Effect"] == "Allow" and "sts:AssumeRole" in listed(statement.get("Action", [])):
            for principal in listed(principals(statement).get("AWS", [])):
                if match := _ACCOUNT_PRINCIPAL.fullmatch(principal):
                    yield match[1]


def denied(error: ClientError) -> bool:
    """Whether AWS denies access, as it also does where a role does not exist."""
    return error.response["Error"]["Code"] in ("AccessDenied", "AccessDeniedException")
