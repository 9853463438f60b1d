"""What CloudFormation's execution role needs to deploy templates, as managed policies for `cdk bootstrap`.

The actions are those of CloudFormation's resource handlers, by type (execution_permissions.json), on the names that the
templates give and the beginnings of those that CloudFormation makes of stack and resource.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mistral7b.catalog import partition

_FACTS: Mapping[str, Any] = json.loads(
    Path(__file__).with_suffix("").with_name("execution_permissions.json").read_text()
)
_MOST_CHARACTERS, _MOST_POLICIES = 6_144, 10
"""Of a managed policy, without blanks, and of policies of a role (IAM quotas)."""
_KEPT_OF_STACK = 24
"""Characters of a stack's name that a generated name keeps where its service allows 64 in all."""

_Rule = tuple[bool, tuple[str, ...], str]
"""Whether the tests have seen CloudFormation call it, the resources, and the condition as JSON."""


@dataclass(frozen=True)
class DeployedStack:
    """A stack that the role deploys."""

    name: str
    account: str
    """`*` where the templates are for any account."""
    region: str
    resources: Mapping[str, Any]

    def names(self, placeholder: str) -> Iterator[str]:
        """What stands for a placeholder of an ARN, such as `RoleNameWithPath`: names, patterns, or `*` for an id."""
        for holder in _FACTS["names"].get(placeholder, []):
            kind, _, name = holder.rpartition(".")
            for logical_id, resource in self.resources.items():
                if resource["Type"] != kind:
                    continue
                value = resource.get("Properties", {}).get(name)
                if isinstance(value, str):
                    yield value.removeprefix("alias/").removeprefix("https://")
                elif name != "RoleName" or kind == "AWS::IAM::Role":
                    yield f"{self.name[:_KEPT_OF_STACK]}*"
                    if kind.startswith("AWS::SageMaker::"):  # which may leave out the stack's name
                        yield f"{logical_id}-*"

    def arns(self, pattern: str) -> set[str]:
        """The ARNs of a pattern such as `arn:${Partition}:iam::${Account}:role/${RoleNameWithPath}`."""
        known = {"Partition": partition(self.region), "Region": self.region, "Account": self.account}
        made = {""}
        for part in pattern.split("${"):
            name, closed, rest = part.partition("}")
            values = {known[name]} if name in known else {""} if not closed else {*self.names(name)}
            values = values or (set() if name in _FACTS["names"] else {"*"})
            made = {f"{one}{_in_arn(one, value)}{rest if closed else name}" for one in made for value in values}
        if ":log-group:" in pattern:  # operations differ in whether they name the group or all that is in it
            made |= {f"{one}:*" for one in made}
        return made


def _in_arn(before: str, value: str) -> str:
    lowered = ":sagemaker:" in before or ":s3:" in before  # as AWS writes their ARNs
    return value.lower() if lowered else value.lstrip("/") if before.endswith("/") else value


@dataclass
class ExecutionPolicy:
    """The permissions for the stacks of one account."""

    stacks: list[DeployedStack] = field(default_factory=list)

    def documents(self) -> list[Mapping[str, Any]]:
        """Managed policies. A statement's Sid says whether its actions are proven or only in CloudFormation's schemas.

        Raises:
            ValueError: they are more than a role may have.
        """
        filled: list[list[Any]] = [[]]
        for number, (proven, resources, condition, actions) in enumerate(self._statements()):
            statement = {
                "Sid": f"{'Proven' if proven else 'FromSchema'}{number}",
                "Effect": "Allow",
                "Action": sorted(actions),
                "Resource": list(resources),
                **({"Condition": json.loads(condition)} if condition else {}),
            }
            if len(_compact(_document([*filled[-1], statement]))) > _MOST_CHARACTERS:
                filled.append([])
            filled[-1].append(statement)
        if len(filled) > _MOST_POLICIES or any(len(_compact(_document(one))) > _MOST_CHARACTERS for one in filled):
            raise ValueError(f"the permissions take {len(filled)} managed policies; a role may have {_MOST_POLICIES}")
        return [_document(statements) for statements in filled]

    def unproven(self) -> list[str]:
        """Actions that only CloudFormation's schemas name."""
        return sorted({one for proven, _, _, actions in self._statements() if not proven for one in actions})

    def _statements(self) -> list[tuple[bool, tuple[str, ...], str, set[str]]]:
        resources: dict[tuple[str, str], set[str]] = defaultdict(set)
        for stack in self.stacks:
            for kind in {one["Type"] for one in stack.resources.values()}:
                for action in _actions(kind):
                    condition = _condition(action, kind)
                    for pattern in _FACTS["resources"][action]:
                        resources[action, condition] |= stack.arns(pattern)
        rules: dict[_Rule, set[str]] = defaultdict(set)
        for (action, condition), arns in resources.items():
            if arns:
                rules[action in _FACTS["called"], tuple(sorted(arns)), condition].add(action)
        return [(*rule, actions) for rule, actions in sorted(rules.items(), key=lambda one: (not one[0][0], one[0]))]


def _actions(kind: str) -> Iterable[str]:
    if kind == "AWS::CDK::Metadata":
        return []
    if kind not in _FACTS["types"]:
        raise ValueError(f"{kind} is not in execution_permissions.json; tools/write_execution_permissions.py adds it")
    found = _FACTS["types"][kind]
    return [*found["schema"], *(one for actions in found["added"].values() for one in actions)]


def _condition(action: str, kind: str) -> str:
    """The condition that keeps roles to the service that gets or makes them."""
    keys = {"iam:PassRole": "iam:PassedToService", "iam:CreateServiceLinkedRole": "iam:AWSServiceName"}
    service = _FACTS["passed_to"][kind] if action == "iam:PassRole" else _FACTS["service_linked"]
    return json.dumps({"StringEquals": {keys[action]: service}}) if action in keys else ""


def _document(statements: list[Any]) -> Mapping[str, Any]:
    return {"Version": "2012-10-17", "Statement": statements}


def _compact(document: Mapping[str, Any]) -> str:
    return json.dumps(document, separators=(",", ":"))


def read_stacks(assembly: Path) -> dict[str, DeployedStack]:
    """The stacks of a cloud assembly, by path, such as `dev/endpoint`."""
    found = {}
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact in json.loads(manifest.read_text(encoding="utf-8")).get("artifacts", {}).values():
            if artifact["type"] == "aws:cloudformation:stack":
                properties = artifact["properties"]
                template = json.loads((manifest.parent / properties["templateFile"]).read_text("utf-8"))
                account, region = artifact["environment"].removeprefix("aws://").split("/")
                account = "*" if account == "unknown-account" else account
                name = properties.get("stackName", artifact["displayName"])
                found[artifact["displayName"]] = DeployedStack(name, account, region, template.get("Resources", {}))
    return found
