"""What one environment deploys, read from its templates."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mistral7b.environment import Environment

Resource = dict[str, Any]
Statement = dict[str, Any]
MODEL, CONFIG, ENDPOINT = "AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"


@dataclass(frozen=True)
class Deployment:
    """An environment and the resources of its stack, by logical id."""

    environment: Environment
    resources: Mapping[str, Resource]

    def all(self, kind: str) -> list[Resource]:
        """The resources of a type."""
        return [r for r in self.resources.values() if r["Type"] == kind]

    def properties(self, kind: str) -> dict[str, Any]:
        """The properties of the only resource of a type."""
        [resource] = self.all(kind)
        properties: dict[str, Any] = resource["Properties"]
        return properties

    def execution_role(self) -> dict[str, Any]:
        """The properties of the role that the model's container runs with."""
        properties: dict[str, Any] = self.resources[self._role]["Properties"]
        return properties

    @property
    def _role(self) -> str:
        return str(self.properties(MODEL)["ExecutionRoleArn"]["Fn::GetAtt"][0])

    def statements(self) -> dict[str, Statement]:
        """The statements of the execution role, by their Sid."""
        own = [r["Properties"] for r in self.all("AWS::IAM::RolePolicy")]
        policies = self.execution_role()["Policies"] + [p for p in own if p["RoleName"] == {"Ref": self._role}]
        return {s["Sid"]: s for policy in policies for s in policy["PolicyDocument"]["Statement"]}

    def interfaces(self, kind: str) -> list[dict[str, Any]]:
        """The properties of the VPC endpoints of a kind: `Gateway` or `Interface`."""
        found = [r["Properties"] for r in self.all("AWS::EC2::VPCEndpoint")]
        return [properties for properties in found if properties["VpcEndpointType"] == kind]


def as_list(value: Any) -> list[Any]:
    """A value, which may stand for a list of one."""
    return value if isinstance(value, list) else [value]


def after(stack: Mapping[str, Resource], name: str) -> set[str]:
    """Every resource of the stack that is made before `name`: by DependsOn or by a reference."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        resource = stack[waiting.pop()]
        for needed in {*as_list(resource.get("DependsOn", [])), *_referred(resource.get("Properties", {}))}:
            if needed in stack and needed not in found:
                found.add(needed)
                waiting.append(needed)
    return found


def _referred(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("Ref"), str):
            yield value["Ref"]
        if "Fn::GetAtt" in value:
            yield value["Fn::GetAtt"][0]
        for inner in value.values():
            yield from _referred(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _referred(inner)


def text(value: Any) -> str:
    """A value as text, to look for words in it."""
    return json.dumps(value)
