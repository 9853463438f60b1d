"""A stack to put constructs in, and a look at the template that comes out."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

Resource = dict[str, Any]


@pytest.fixture
def stack() -> cdk.Stack:
    """A stack with a concrete account and region, as in production."""
    app = cdk.App(
        builtin_cloud_formation_validation=False,
        context={"@aws-cdk/core:enablePartitionLiterals": True, "@aws-cdk/aws-iam:minimizePolicies": True},
    )
    return cdk.Stack(app, "Test", env=cdk.Environment(account="111122223333", region="eu-west-1"))


@pytest.fixture(scope="session")
def resources() -> Callable[[cdk.Stack, str], list[Resource]]:
    """The resources of a type in a stack's template."""

    def find(stack: cdk.Stack, resource_type: str) -> list[Resource]:
        template = Template.from_stack(stack).to_json()
        return [r for r in template.get("Resources", {}).values() if r["Type"] == resource_type]

    return find


@pytest.fixture(scope="session")
def only(resources: Callable[[cdk.Stack, str], list[Resource]]) -> Callable[[cdk.Stack, str], Resource]:
    """The only resource of a type in a stack's template."""

    def find(stack: cdk.Stack, resource_type: str) -> Resource:
        [resource] = resources(stack, resource_type)
        return resource

    return find
