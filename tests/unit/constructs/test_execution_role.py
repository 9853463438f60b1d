from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from sagemaker_tgi import EcrImage, InvalidPropsError, ModelArtifact, TgiExecutionRole

Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]
Statement = dict[str, Any]

IMAGE = EcrImage.from_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference:1.1.0")
ARTIFACT = ModelArtifact.from_uri("s3://weights/mistral/v1/")
ACCOUNT = "111122223333"


def role(stack: cdk.Stack, artifact: ModelArtifact = ARTIFACT, *, in_vpc: bool = True) -> TgiExecutionRole:
    subnets = [ec2.Subnet.from_subnet_id(stack, f"Subnet{n}", f"subnet-{n}") for n in (1, 2)]
    group = ec2.SecurityGroup.from_security_group_id(stack, "Group", "sg-1")
    return TgiExecutionRole(
        stack,
        "Role",
        artifact=artifact,
        image=IMAGE,
        endpoint_name="chat",
        subnets=subnets if in_vpc else [],
        security_groups=[group] if in_vpc else [],
    )


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture
def statements(resources: Resources) -> Callable[[cdk.Stack], list[Statement]]:
    def of(stack: cdk.Stack) -> list[Statement]:
        [resource] = resources(stack, "AWS::IAM::Role")
        return [s for policy in resource["Properties"]["Policies"] for s in policy["PolicyDocument"]["Statement"]]

    return of


@pytest.fixture
def allowing(statements: Callable[[cdk.Stack], list[Statement]]) -> Callable[[cdk.Stack, str], Statement]:
    def find(stack: cdk.Stack, action: str) -> Statement:
        [statement] = [s for s in statements(stack) if action in as_list(s["Action"])]
        return statement

    return find


Statements = Callable[[cdk.Stack], list[Statement]]
Allowing = Callable[[cdk.Stack, str], Statement]


def test_only_sagemaker_on_behalf_of_this_account_takes_it_on(stack: cdk.Stack, resources: Resources) -> None:
    role(stack)
    [resource] = resources(stack, "AWS::IAM::Role")
    [trust] = resource["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:*"},
    }


def test_all_permissions_exist_as_soon_as_the_role_does(stack: cdk.Stack, resources: Resources) -> None:
    role(stack)
    [resource] = resources(stack, "AWS::IAM::Role")
    assert resource["Properties"]["Policies"]
    assert resources(stack, "AWS::IAM::Policy") == []


def test_there_is_no_managed_policy(stack: cdk.Stack, resources: Resources) -> None:
    role(stack)
    [resource] = resources(stack, "AWS::IAM::Role")
    assert "ManagedPolicyArns" not in resource["Properties"]


def test_it_may_do_what_the_container_needs_and_nothing_else(stack: cdk.Stack, statements: Statements) -> None:
    role(stack)
    actions = {action for statement in statements(stack) for action in as_list(statement["Action"])}
    assert actions == {
        "s3:GetObject",
        "s3:ListBucket",
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetAuthorizationToken",
        "ecr:GetDownloadUrlForLayer",
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
        "cloudwatch:PutMetricData",
        "ec2:CreateNetworkInterface",
        "ec2:CreateNetworkInterfacePermission",
        "ec2:DeleteNetworkInterface",
        "ec2:DeleteNetworkInterfacePermission",
        "ec2:DescribeDhcpOptions",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSecurityGroups",
        "ec2:DescribeSubnets",
        "ec2:DescribeVpcs",
    }


def test_any_resource_is_allowed_only_where_iam_accepts_no_other(stack: cdk.Stack, statements: Statements) -> None:
    role(stack)
    actions = {a for s in statements(stack) if "*" in as_list(s["Resource"]) for a in as_list(s["Action"])}
    assert {a for a in actions if not a.startswith("ec2:Describe")} == {
        "ecr:GetAuthorizationToken",
        "cloudwatch:PutMetricData",
    }


def test_it_reads_the_weights_and_no_other_object(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    assert allowing(stack, "s3:GetObject")["Resource"] == "arn:aws:s3:::weights/mistral/v1/*"


def test_it_lists_the_bucket_under_the_weights_prefix_alone(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    statement = allowing(stack, "s3:ListBucket")
    assert statement["Resource"] == "arn:aws:s3:::weights"
    assert statement["Condition"] == {"StringLike": {"s3:prefix": "mistral/v1/*"}}


def test_of_an_archive_it_reads_that_one_object(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack, ModelArtifact.from_uri("s3://weights/mistral.tar.gz"))
    assert allowing(stack, "s3:GetObject")["Resource"] == "arn:aws:s3:::weights/mistral.tar.gz"
    assert allowing(stack, "s3:ListBucket")["Condition"] == {"StringLike": {"s3:prefix": "mistral.tar.gz"}}


def test_it_pulls_from_the_images_repository_alone(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    repository = "arn:aws:ecr:eu-west-1:763104351884:repository/huggingface-pytorch-tgi-inference"
    assert allowing(stack, "ecr:BatchGetImage")["Resource"] == repository


def test_it_writes_to_the_endpoints_log_group_alone(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    group = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/chat"
    assert allowing(stack, "logs:PutLogEvents")["Resource"] == [group, f"{group}:*"]


def test_it_publishes_metrics_in_sagemakers_namespace_alone(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    condition = allowing(stack, "cloudwatch:PutMetricData")["Condition"]
    assert condition == {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}


def test_it_makes_interfaces_in_the_models_subnets_and_groups_alone(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    ec2_arn = f"arn:aws:ec2:eu-west-1:{ACCOUNT}"
    assert sorted(allowing(stack, "ec2:CreateNetworkInterface")["Resource"]) == [
        f"{ec2_arn}:network-interface/*",
        f"{ec2_arn}:security-group/sg-1",
        f"{ec2_arn}:subnet/subnet-1",
        f"{ec2_arn}:subnet/subnet-2",
    ]


def test_it_removes_interfaces_of_the_models_subnets_alone(stack: cdk.Stack, allowing: Allowing) -> None:
    role(stack)
    subnets = [f"arn:aws:ec2:eu-west-1:{ACCOUNT}:subnet/subnet-{n}" for n in (1, 2)]
    assert allowing(stack, "ec2:DeleteNetworkInterface")["Condition"] == {"ArnEquals": {"ec2:Subnet": subnets}}


def test_without_a_vpc_it_has_no_rights_in_ec2(stack: cdk.Stack, statements: Statements) -> None:
    role(stack, in_vpc=False)
    assert not any(action.startswith("ec2:") for s in statements(stack) for action in as_list(s["Action"]))


def test_what_no_endpoint_can_have_is_refused(stack: cdk.Stack) -> None:
    subnets = [ec2.Subnet.from_subnet_id(stack, f"Subnet{n}", f"subnet-{n}") for n in range(17)]
    groups = [ec2.SecurityGroup.from_security_group_id(stack, f"Group{n}", f"sg-{n}") for n in range(6)]
    with pytest.raises(InvalidPropsError) as error:
        TgiExecutionRole(
            stack,
            "Role",
            artifact=ARTIFACT,
            image=IMAGE,
            endpoint_name="my_endpoint",
            subnets=subnets,
            security_groups=groups,
        )
    for problem in ("endpoint_name='my_endpoint'", "subnets (count)=17", "security_groups (count)=6"):
        assert problem in str(error.value)
