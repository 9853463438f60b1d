"""Every policy statement of a cloud assembly's templates, with the reason that the code gives for it.

Statements are read wherever a template has a policy document, so that none is left out. Reasons are metadata of the
constructs (`sagemaker_tgi.explain_statements`), which the CDK writes beside the template.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

REASONS = "sagemaker-tgi:statement-reasons"
"""Type of the metadata that holds a construct's reasons, by Sid."""

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": "<account>",
    "AWS::Partition": "<partition>",
    "AWS::Region": "<region>",
    "AWS::StackId": "<stack>",
    "AWS::URLSuffix": "<dns suffix>",
}


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement of a policy document.

    Values known only at deployment read `<account>`, `<endpoint/Network/Vpc>` (the resource referred to) or
    `<Arn of endpoint/Key>`.
    """

    stack: str
    """Path of the stack: `dev/endpoint`, `pipeline`."""
    path: str
    """The resource's construct within the stack."""
    resource_type: str
    policy: str
    """Where the document is: a property such as `KeyPolicy`, or the name of a role's inline policy."""
    key: str
    """The Sid; without one, the first action."""
    effect: str
    principals: tuple[str, ...]
    """`Service sagemaker.amazonaws.com` or `AWS *`. None in the policy of a role, which is the principal."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    """None in a role's trust policy."""
    conditions: tuple[tuple[str, str, str], ...]
    """Operator, condition key, and one of its values."""
    reason: str | None


@dataclass(frozen=True)
class StackPolicies:
    """The policies of one stack of an assembly."""

    name: str
    resources: Mapping[str, Any]
    paths: Mapping[str, str]
    """Construct of each resource within the stack, by its logical id."""
    reasons: Mapping[str, Mapping[str, str]]
    """Reasons of each construct that has some, by its path."""
    stack_name: str = ""
    account: str = "*"
    """`*` where the template is for any account."""
    region: str = ""

    def statements(self) -> list[Statement]:
        """Every statement, in the order of the template.

        Raises:
            ValueError: a statement has an element, or a value an intrinsic function, that would be misread.
        """
        return [
            self._statement(logical_id, policy, body)
            for logical_id, resource in self.resources.items()
            for policy, document in _documents(resource.get("Properties", {}))
            for body in listed(document["Statement"])
        ]

    def _statement(self, logical_id: str, policy: str, body: Mapping[str, Any]) -> Statement:
        path = self.paths[logical_id]
        # NotAction and its like mean the opposite of what a list of actions would show
        unread = body.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
        if unread:
            raise ValueError(f"{self.name}/{path}, {policy}: {', '.join(sorted(unread))} is not read")
        actions = tuple(self._texts(body["Action"]))
        key = str(body.get("Sid", actions[0]))
        holders = [one for one in self.reasons if PurePosixPath(path).is_relative_to(one) and key in self.reasons[one]]
        return Statement(
            stack=self.name,
            path=path,
            resource_type=self.resources[logical_id]["Type"],
            policy=policy,
            key=key,
            effect=body["Effect"],
            principals=tuple(
                f"{kind} {value}" for kind, values in principals(body).items() for value in self._texts(values)
            ),
            actions=actions,
            resources=tuple(self._texts(body.get("Resource", []))),
            conditions=tuple(
                (operator, condition, value)
                for operator, conditions in body.get("Condition", {}).items()
                for condition, values in conditions.items()
                for value in self._texts(values)
            ),
            reason=self.reasons[max(holders, key=len)][key] if holders else None,
        )

    def _texts(self, value: Any) -> list[str]:
        return [self._text(one) for one in listed(value)]

    def _text(self, value: Any) -> str:
        stack = self.name.split("/")[-1]
        match value:
            case str():
                return value
            case bool() | int() | float():  # of a condition
                return json.dumps(value)
            case {"Ref": name}:
                return _PSEUDO_PARAMETERS.get(name) or f"<{stack}/{self.paths[name]}>"
            case {"Fn::GetAtt": [logical_id, attribute]}:
                return f"<{attribute} of {stack}/{self.paths[logical_id]}>"
            case {"Fn::Join": [delimiter, parts]}:
                return str(delimiter).join(self._text(part) for part in parts)
            case _:
                raise ValueError(f"{self.name}: no reading for {value}")


def read_policies(assembly: Path) -> list[StackPolicies]:
    """The policies of every stack in a cloud assembly, nested ones (stages) included."""
    found = []
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact in json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}).values():
            if artifact["type"] == "aws:cloudformation:stack":
                template = json.loads((manifest.parent / artifact["properties"]["templateFile"]).read_text("utf-8"))
                metadata = json.loads((manifest.parent / artifact["additionalMetadataFile"]).read_text("utf-8"))
                found.append(_policies(artifact, template, metadata))
    return found


def _policies(artifact: Mapping[str, Any], template: Mapping[str, Any], metadata: Mapping[str, Any]) -> StackPolicies:
    name, (account, region) = artifact["displayName"], artifact["environment"].removeprefix("aws://").split("/")
    paths: dict[str, str] = {}
    reasons: dict[str, dict[str, str]] = {}
    for full, entries in metadata.items():
        # A construct called Default is no part of its parts' logical ids, and of no use in a path.
        path = full.removeprefix(f"/{name}").removeprefix("/").removeprefix("Default/")
        for entry in entries:
            if entry["type"] == "aws:cdk:logicalId":
                paths[entry["data"]] = path.removesuffix("/Resource")
            elif entry["type"] == REASONS:
                reasons.setdefault(path, {}).update(entry["data"])
    account = "*" if account == "unknown-account" else account
    return StackPolicies(
        name, template.get("Resources", {}), paths, reasons, artifact["properties"]["stackName"], account, region
    )


def _documents(value: Any, name: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every policy document within a resource's properties, by its name or else its property."""
    if isinstance(value, list):
        for one in value:
            yield from _documents(one, name)
    elif isinstance(value, dict):
        if "Statement" in value:
            yield name, value
            return
        for key, one in value.items():
            yield from _documents(one, str(value.get("PolicyName", key)) if name else key)


def principals(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """Whom a statement names, by kind; the principal `*` is what IAM reads it as."""
    named: Mapping[str, Any] | str = statement.get("Principal", {})
    return {"AWS": named} if isinstance(named, str) else named


def listed(value: Any) -> list[Any]:
    """A policy's value as a list, which may stand there by itself."""
    return value if isinstance(value, list) else [value]
