"""A stack to put constructs in, and a look at the template that comes out."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk.assertions import Template

from sagemaker_tgi import EcrImage, ModelArtifact, TgiEndpoint, TgiEndpointConfig, TgiModel

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


@pytest.fixture
def model(stack: cdk.Stack) -> TgiModel:
    """A model to put behind an endpoint."""
    return TgiModel(
        stack,
        "Model",
        image=EcrImage.from_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/tgi:1.1.0"),
        artifact=ModelArtifact.from_uri("s3://weights/mistral/v1/"),
        environment={"HF_MODEL_ID": "/opt/ml/model"},
        role=iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/model"),
    )


@pytest.fixture
def make_endpoint(stack: cdk.Stack, model: TgiModel) -> Callable[..., TgiEndpoint]:
    """Defines an endpoint with a default configuration; props as of `TgiEndpoint`."""

    def make(endpoint_name: str = "chat", **props: Any) -> TgiEndpoint:
        config = TgiEndpointConfig(stack, "Config", model=model)
        return TgiEndpoint(stack, "Endpoint", endpoint_name=endpoint_name, endpoint_config=config, **props)

    return make
