"""Every policy statement of an environment's templates, or a pipeline's, with the reason that stands beside the code.

Statements are read from the synthesized templates, wherever a policy document is in them, so that none is left out;
reasons are the metadata of `sagemaker_tgi.explain_statements` on the resource's construct and its ancestors.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import aws_cdk as cdk

from sagemaker_tgi.compliance import STATEMENT_REASONS

Condition = tuple[str, str, str]
"""Operator, condition key, and one of its values."""

_PSEUDO_PARAMETERS = {
    "AWS::AccountId": "<account>",
    "AWS::Partition": "<partition>",
    "AWS::Region": "<region>",
    "AWS::StackId": "<stack>",
    "AWS::URLSuffix": "<dns suffix>",
}


@dataclass(frozen=True, kw_only=True)
class StatementFacts:
    """What a statement is whichever environment it is in."""

    stack: str
    """Id of the stack: `endpoint`, `pipeline`."""
    resource_type: str
    path: str
    """The resource's construct within the stack."""
    policy: str
    """Where the document is: a property such as `KeyPolicy`, or the name of a role's inline policy."""
    key: str
    """The Sid; where there is none, the first action."""
    effect: str
    principals: tuple[str, ...]
    """`Service sagemaker.amazonaws.com` or `AWS *`. None in the policy of a role, which is the principal."""
    actions: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Statement(StatementFacts):
    """One statement of a policy document.

    What is known at deployment only stands in values as `<account>`, `<endpoint/Network/Vpc>` (the resource that is
    referred to) or `<Arn of endpoint/Key>`.
    """

    environment: str
    """The environment; of a pipeline, what tells it from another."""
    resources: tuple[str, ...]
    """None in a role's trust policy."""
    conditions: tuple[Condition, ...]
    reason: str | None

    @property
    def name(self) -> str:
        """For messages: `dev/endpoint/Role, Artifact: ReadWeights`."""
        return f"{self.environment}/{self.stack}/{self.path}, {self.policy}: {self.key}"


class StackStatements:
    """The statements of an environment's stacks, or of a pipeline's."""

    def __init__(self, name: str, stacks: Sequence[cdk.Stack]) -> None:
        """Synthesizes the stacks, unless they are already.

        Args:
            name: The environment, or what else tells them apart.
            stacks: Those of one stage or app.
        """
        self.name = name
        self._stacks = [_Stack(stack, _template(stack)) for stack in stacks]

    @cached_property
    def statements(self) -> list[Statement]:
        """Every statement, in the order of the templates."""
        return [
            self._statement(stack, logical_id, policy, body)
            for stack in self._stacks
            for logical_id, resource in stack.resources.items()
            for policy, document in _documents(resource.get("Properties", {}))
            for body in _listed(document["Statement"])
        ]

    def unused_reasons(self) -> list[str]:
        """Reasons that no statement has, as `dev/endpoint/Role: ReadWeights`."""
        return [
            f"{'/'.join(filter(None, (self.name, stack.id, path)))}: {key}"
            for stack in self._stacks
            for path, reasons in stack.reasons.items()
            for key in reasons
            if not any(s.stack == stack.id and s.key == key and _is_in(s.path, path) for s in self.statements)
        ]

    def _statement(self, stack: "_Stack", logical_id: str, policy: str, body: Mapping[str, Any]) -> Statement:
        unread = body.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
        if unread:  # NotAction and its like mean the opposite of what a list of actions would show
            raise ValueError(f"{stack.id}/{stack.paths[logical_id]}, {policy}: {', '.join(sorted(unread))} is not read")
        actions = tuple(self._texts(stack, body["Action"]))
        key = str(body.get("Sid", actions[0]))
        return Statement(
            environment=self.name,
            stack=stack.id,
            resource_type=stack.resources[logical_id]["Type"],
            path=stack.paths[logical_id],
            policy=policy,
            key=key,
            effect=body["Effect"],
            principals=tuple(
                f"{kind} {value}"
                for kind, values in body.get("Principal", {}).items()
                for value in self._texts(stack, values)
            ),
            actions=actions,
            resources=tuple(self._texts(stack, body.get("Resource", []))),
            conditions=tuple(
                (operator, condition, value)
                for operator, conditions in body.get("Condition", {}).items()
                for condition, values in conditions.items()
                for value in self._texts(stack, values)
            ),
            reason=stack.reason(stack.paths[logical_id], key),
        )

    def _texts(self, stack: "_Stack", value: Any) -> list[str]:
        return [self._text(stack, one) for one in _listed(value)]

    def _text(self, stack: "_Stack", value: Any) -> str:
        """A value of a template as text."""
        match value:
            case str():
                return value
            case {"Ref": name}:
                return _PSEUDO_PARAMETERS.get(name) or f"<{stack.id}/{stack.paths[name]}>"
            case {"Fn::GetAtt": [logical_id, attribute]}:
                return f"<{attribute} of {stack.id}/{stack.paths[logical_id]}>"
            case {"Fn::Join": [delimiter, parts]}:
                return str(delimiter).join(self._text(stack, part) for part in parts)
            case _:
                raise ValueError(f"{stack.id}: no reading for {value}")


def _template(stack: cdk.Stack) -> Mapping[str, Any]:
    stage = cdk.Stage.of(stack)
    assert stage is not None
    template: Mapping[str, Any] = stage.synth().get_stack_artifact(stack.artifact_id).template
    return template


class _Stack:
    """A stack's template beside its constructs."""

    def __init__(self, stack: cdk.Stack, template: Mapping[str, Any]) -> None:
        self.id: str = stack.node.id
        self.resources: Mapping[str, Any] = template["Resources"]
        self.paths: dict[str, str] = {}
        """Construct of each resource, by its logical id."""
        self.reasons: dict[str, dict[str, str]] = {}
        """Reasons of each construct that has some, by its path."""
        for construct in stack.node.find_all():
            # A construct called Default is no part of its parts' logical ids, and of no use in a path.
            path = construct.node.path.removeprefix(stack.node.path).removeprefix("/").removeprefix("Default/")
            for entry in construct.node.metadata:
                if entry.type == STATEMENT_REASONS:
                    self.reasons.setdefault(path, {}).update(entry.data)
            if isinstance(construct, cdk.CfnResource):
                self.paths[stack.resolve(construct.logical_id)] = path.removesuffix("/Resource")

    def reason(self, path: str, key: str) -> str | None:
        """The reason of a statement in the resource at `path`; the nearest construct's."""
        near_first = sorted((p for p in self.reasons if _is_in(path, p) and key in self.reasons[p]), key=len)
        return self.reasons[near_first[-1]][key] if near_first else None


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


def _is_in(path: str, ancestor: str) -> bool:
    return path == ancestor or path.startswith(f"{ancestor}/") or ancestor == ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
