from collections.abc import Callable, Mapping
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam

from sagemaker_tgi import ArtifactGatewayEndpoint, EcrImage, InvalidPropsError, ModelArtifact, TgiModel

Only = Callable[[cdk.Stack, str], dict[str, Any]]

IMAGE = EcrImage.from_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference:1.1.0")
ENVIRONMENT = {"HF_MODEL_ID": "/opt/ml/model", "SM_NUM_GPUS": "1"}


def model(
    stack: cdk.Stack,
    *,
    image: EcrImage = IMAGE,
    environment: Mapping[str, str] = ENVIRONMENT,
    artifact: str = "s3://weights/mistral/v1/",
    subnets: int = 2,
    security_groups: int = 1,
    route: ArtifactGatewayEndpoint | None = None,
) -> TgiModel:
    return TgiModel(
        stack,
        "Model",
        image=image,
        artifact=ModelArtifact.from_uri(artifact),
        environment=environment,
        role=iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")),
        subnets=[ec2.Subnet.from_subnet_id(stack, f"Subnet{n}", f"subnet-{n}") for n in range(subnets)],
        security_groups=[
            ec2.SecurityGroup.from_security_group_id(stack, f"Group{n}", f"sg-{n}") for n in range(security_groups)
        ],
        artifact_route=route,
    )


def test_the_container_gets_the_image_and_the_whole_environment_as_strings(stack: cdk.Stack, only: Only) -> None:
    model(stack)
    container = only(stack, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]
    assert container["Image"] == IMAGE.uri
    assert container["Environment"] == {"HF_MODEL_ID": "/opt/ml/model", "SM_NUM_GPUS": "1"}


def test_a_prefix_of_weights_is_copied_uncompressed(stack: cdk.Stack, only: Only) -> None:
    model(stack)
    assert only(stack, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]["ModelDataSource"] == {
        "S3DataSource": {
            "S3Uri": "s3://weights/mistral/v1/",
            "S3DataType": "S3Prefix",
            "CompressionType": "None",
        }
    }


def test_an_archive_of_weights_is_unpacked(stack: cdk.Stack, only: Only) -> None:
    model(stack, artifact="s3://weights/mistral.tar.gz")
    assert only(stack, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]["ModelDataSource"] == {
        "S3DataSource": {
            "S3Uri": "s3://weights/mistral.tar.gz",
            "S3DataType": "S3Object",
            "CompressionType": "Gzip",
        }
    }


def test_the_container_is_isolated_in_the_vpc(stack: cdk.Stack, only: Only) -> None:
    model(stack)
    properties = only(stack, "AWS::SageMaker::Model")["Properties"]
    assert properties["EnableNetworkIsolation"] is True
    assert properties["VpcConfig"] == {"SecurityGroupIds": ["sg-0"], "Subnets": ["subnet-0", "subnet-1"]}


def test_a_model_without_subnets_is_isolated_all_the_same(stack: cdk.Stack, only: Only) -> None:
    model(stack, subnets=0, security_groups=0)
    properties = only(stack, "AWS::SageMaker::Model")["Properties"]
    assert properties["EnableNetworkIsolation"] is True
    assert "VpcConfig" not in properties


def test_a_model_has_no_name_that_its_replacement_would_collide_with(stack: cdk.Stack, only: Only) -> None:
    model(stack)
    assert "ModelName" not in only(stack, "AWS::SageMaker::Model")["Properties"]


def test_the_model_is_created_after_the_roles_policies_and_the_s3_route(stack: cdk.Stack, only: Only) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"])
    artifact = ModelArtifact.from_uri("s3://weights/mistral/")
    route = ArtifactGatewayEndpoint(stack, "Route", vpc=vpc, route_table_ids=["rtb-1"], artifact=artifact)
    model(stack, route=route)
    role = stack.node.find_child("Role")
    assert isinstance(role, iam.Role)
    role.add_to_policy(iam.PolicyStatement(actions=["kms:Decrypt"], resources=["*"]))
    needed = {
        stack.get_logical_id(element)
        for path in ("Role/DefaultPolicy/Resource", "Route/Resource")
        if isinstance(element := find(stack, path), cdk.CfnElement)
    }
    assert len(needed) == 2
    assert needed <= set(only(stack, "AWS::SageMaker::Model")["DependsOn"])


def find(stack: cdk.Stack, path: str) -> object:
    construct: Any = stack
    for part in path.split("/"):
        construct = construct.node.find_child(part)
    return construct


@pytest.mark.parametrize(
    ("environment", "problem"),
    [
        (ENVIRONMENT | {"SM_NUM_GPUS": 1}, "environment['SM_NUM_GPUS']=1: is not a string, which CloudFormation wants"),
        (ENVIRONMENT | {"MAX-BATCH": "1"}, "environment['MAX-BATCH'] (name)='MAX-BATCH': does not match"),
        (ENVIRONMENT | {"LONG": "x" * 1025}, "has 1025 characters; use 1024 or fewer"),
        (ENVIRONMENT | {f"V{n}": "1" for n in range(99)}, "environment='<101 variables>': is too long"),
        ({"SM_NUM_GPUS": "1"}, "environment['HF_MODEL_ID']=None: the container starts nothing without a model"),
        ({"HF_MODEL_ID": "mistralai/Mistral-7B-v0.1"}, "an isolated one cannot reach the Hugging Face Hub"),
    ],
)
def test_an_environment_that_the_container_cannot_start_with_is_refused(
    stack: cdk.Stack, environment: dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidPropsError) as error:
        model(stack, environment=environment)
    assert problem in str(error.value)


@pytest.mark.parametrize(
    ("subnets", "security_groups", "problem"),
    [
        (2, 0, "<2 subnets, 0 security groups>': one is given without the other; give both or neither"),
        (0, 1, "<0 subnets, 1 security groups>': one is given without the other"),
        (17, 1, "subnets (count)=17: is out of range; use from 0 to 16"),
        (2, 6, "security_groups (count)=6: is out of range; use from 0 to 5"),
    ],
)
def test_a_network_that_sagemaker_would_refuse_is_refused(
    stack: cdk.Stack, subnets: int, security_groups: int, problem: str
) -> None:
    with pytest.raises(InvalidPropsError) as error:
        model(stack, subnets=subnets, security_groups=security_groups)
    assert problem in str(error.value)


def test_names_that_sagemaker_would_find_too_long_are_refused(stack: cdk.Stack) -> None:
    image = EcrImage.from_uri(f"763104351884.dkr.ecr.eu-west-1.amazonaws.com/{'x' * 240}:1.1.0")
    with pytest.raises(InvalidPropsError) as error:
        TgiModel(
            stack,
            "Model",
            image=image,
            artifact=ModelArtifact.from_uri(f"s3://weights/{'x' * 1024}/"),
            environment=ENVIRONMENT,
            role=iam.Role.from_role_arn(stack, "Role", "arn:aws:iam::111122223333:role/model"),
        )
    assert "use 255 or fewer" in str(error.value)
    assert "use 1024 or fewer" in str(error.value)


def test_an_image_of_another_region_is_refused(stack: cdk.Stack) -> None:
    """Image of at most 255 characters and of the endpoint's region, artifact of at most 1,024. Source: SageMaker API,
    ContainerImage, S3ModelUri; CreateModel refuses other regions.
    """
    image = EcrImage.from_uri("763104351884.dkr.ecr.us-east-1.amazonaws.com/tgi:1.1.0")
    with pytest.raises(InvalidPropsError) as error:
        model(stack, image=image)
    assert f"image (uri)={image.uri!r}: SageMaker takes only images of its own region, here eu-west-1" in str(
        error.value
    )


def test_a_stack_without_a_region_takes_any_image(only: Only) -> None:
    stack = cdk.Stack(cdk.App(builtin_cloud_formation_validation=False), "Anywhere")
    model(stack)
    assert only(stack, "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]["Image"] == IMAGE.uri
