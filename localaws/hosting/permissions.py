"""What the policies of an execution role let SageMaker do in the role's name.

Conditions are not checked, as nothing is known of them here: what is allowed under one counts as allowed, and what is
denied under one as not denied. Permissions boundaries are not looked at.
"""

import json
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from moto.iam.models import Role, iam_backends


def allows(role_arn: str, action: str, resource: str, resource_policy: str) -> bool:
    """Whether a policy of the role, or what that of the resource says of it, allows the action, and none denies it."""
    about = [one for one in _listed(json.loads(resource_policy)) if _names(one.get("Principal", {}), role_arn)]
    effects = {
        statement["Effect"]
        for statement in [*_statements(role_arn), *about]
        if _covers(statement, "Action", action.lower())
        and _covers(statement, "Resource", resource)
        and not (statement["Effect"] == "Deny" and statement.get("Condition"))
    }
    return effects == {"Allow"}


def _statements(role_arn: str) -> Iterator[Mapping[str, Any]]:
    account = role_arn.split(":")[4]
    role: Role | None = next(
        (role for role in iam_backends[account]["aws"].roles.values() if role.arn == role_arn), None
    )
    if role is None:
        return
    versions = [version for policy in role.managed_policies.values() for version in policy.versions]
    managed = [version.document for version in versions if version.is_default]
    for document in [*role.policies.values(), *managed]:
        yield from _listed(json.loads(document))


def _listed(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    statements = document.get("Statement", [])
    return statements if isinstance(statements, list) else [statements]


def _names(principal: Any, role_arn: str) -> bool:
    named = principal.get("AWS", []) if isinstance(principal, dict) else principal
    return bool({role_arn, "*"} & set(named if isinstance(named, list) else [named]))


def _covers(statement: Mapping[str, Any], element: str, wanted: str) -> bool:
    """Whether `Action` or `Resource` of a statement covers what is wanted, or its opposite leaves it in."""
    patterns = statement.get(element, statement.get(f"Not{element}", []))
    lower = str.lower if element == "Action" else str
    # IAM's wildcards are * and ? alone.
    listed = [lower(one).replace("[", "[[]") for one in (patterns if isinstance(patterns, list) else [patterns])]
    return any(fnmatchcase(wanted, pattern) for pattern in listed) is (element in statement)
