"""Checks that an account and region is bootstrapped, new enough, and lets those in who deploy.

No role that may deploy is assumed, so that whoever checks needs no right to deploy: the roles' trust policies are read.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.operate.calls import ask
from mistral7b.operate.checks import Finding, Target, check
from mistral7b.operate.permissions import listed, principals
from mistral7b.operate.place import Place

NEEDED_VERSION = 8
"""Of the bootstrap stack: the lookup role's, which is above that of the stacks, 6 (requiresBootstrapStackVersion in the
cloud assembly's manifests)."""
_ROLES = ("deploy", "file-publishing", "lookup", "cfn-exec")
"""The roles of a deployment. CloudFormation assumes the last, the CDK the others."""

_ACCOUNT_PRINCIPAL = re.compile(r"(?:arn:[a-z-]+:iam::)?([0-9]{12})(?::root)?")


@check("bootstrap", "")
def bootstrap(target: Target) -> Iterator[Finding]:
    """Version, roles and trust. Raises ClientError."""
    place, iam = target.place, target.client("iam")
    name = f"/cdk-bootstrap/{place.bootstrap.qualifier}/version"
    stored = ask(target.client("ssm").get_parameter, "ParameterNotFound", Name=name)
    if stored is None:
        yield _failure(place, f"not bootstrapped: there is no parameter {name}")
        return
    roles = {kind: ask(iam.get_role, "NoSuchEntity", RoleName=place.role(kind)) for kind in _ROLES}
    if missing := [place.role(kind) for kind, role in roles.items() if role is None]:
        yield _failure(place, f"the bootstrap is damaged: there is no role {missing[0]}")
        return
    version = int(stored["Parameter"]["Value"])
    trusted = {kind: frozenset(_trusted(roles[kind]["Role"]["AssumeRolePolicyDocument"])) for kind in _ROLES[:2]}
    closed = [kind for kind, accounts in trusted.items() if place.pipeline_account not in accounts]
    if version < NEEDED_VERSION:
        reason = f"the bootstrap is of version {version}, and {NEEDED_VERSION} is needed"
        yield _failure(place, reason, trusted["deploy"])
    elif closed:
        whose = "its own account" if place.pipeline_account == place.account else "the pipeline's account"
        reason = f"its role {place.role(closed[0])} does not trust {whose}, {place.pipeline_account}"
        yield _failure(place, reason, trusted["deploy"])
    else:
        yield Finding("ok", f"version {version}, lets {place.pipeline_account} deploy")


def lookup_refused(place: Place, error: ClientError) -> Finding:
    """The finding where AWS refuses the lookup role, as it also does where there is none."""
    reason = f"its role {place.role('lookup')} does not trust {place.pipeline_account}, or does not exist"
    return _failure(place, f"{reason}; AWS says: {error.response['Error'].get('Message')}")


def _failure(place: Place, found: str, trusted: frozenset[str] = frozenset()) -> Finding:
    own = f"with an administrator's credentials of {place.account}, run what `mistral7b bootstrap-policy` prints"
    everything = f"or let CloudFormation do everything: cdk {' '.join(place.cdk_arguments(trusted))}"
    return Finding("failure", found, f"{own}, {everything}")


def _trusted(policy: Mapping[str, Any]) -> Iterator[str]:
    """Accounts whose administrators decide who of them assumes the role."""
    for statement in listed(policy["Statement"]):
        if statement["Effect"] == "Allow" and "sts:AssumeRole" in listed(statement.get("Action", [])):
            for principal in listed(principals(statement).get("AWS", [])):
                if match := _ACCOUNT_PRINCIPAL.fullmatch(principal):
                    yield match[1]
