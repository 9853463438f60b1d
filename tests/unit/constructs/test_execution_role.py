from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2
from aws_cdk.assertions import Template

from sagemaker_tgi import (
    EcrImage,
    InvalidPropsError,
    IsolatedVpc,
    ModelArtifact,
    ModelSecurityGroup,
    TgiEndpoint,
    TgiExecutionRole,
)
from tests.unit.constraints.deployment import after

Only = Callable[[cdk.Stack, str], dict[str, Any]]
Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]
Statement = dict[str, Any]

IMAGE = EcrImage.from_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/huggingface-pytorch-tgi-inference:1.1.0")
ARTIFACT = ModelArtifact.from_uri("s3://weights/mistral/v1/")
ACCOUNT = "111122223333"
EC2 = f"arn:aws:ec2:eu-west-1:{ACCOUNT}"
IN_VPC = {"ArnEquals": {"ec2:Vpc": f"{EC2}:vpc/vpc-1"}}


def role(
    stack: cdk.Stack,
    artifact: ModelArtifact = ARTIFACT,
    *,
    endpoint_name: str = "chat",
    vpc_id: str | None = "vpc-1",
) -> TgiExecutionRole:
    vpc = None
    if vpc_id is not None:
        vpc = ec2.Vpc.from_vpc_attributes(stack, "Existing", vpc_id=vpc_id, availability_zones=["eu-west-1a"])
    return TgiExecutionRole(stack, "Role", artifact=artifact, image=IMAGE, endpoint_name=endpoint_name, vpc=vpc)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@pytest.fixture
def statements(resources: Resources) -> Callable[[cdk.Stack], list[Statement]]:
    """The statements of the role, in policies of its own and in resources beside it."""

    def of(stack: cdk.Stack) -> list[Statement]:
        [resource] = resources(stack, "AWS::IAM::Role")
        policies = resource["Properties"]["Policies"]
        policies += [policy["Properties"] for policy in resources(stack, "AWS::IAM::RolePolicy")]
        return [statement for policy in policies for statement in policy["PolicyDocument"]["Statement"]]

    return of


@pytest.fixture
def by_sid(statements: Callable[[cdk.Stack], list[Statement]]) -> Callable[[cdk.Stack, str], Statement]:
    """The statement of that name, without it."""

    def find(stack: cdk.Stack, sid: str) -> Statement:
        [statement] = [s for s in statements(stack) if s["Sid"] == sid]
        return {key: value for key, value in statement.items() if key != "Sid"}

    return find


@pytest.fixture
def policy_names(resources: Resources) -> Callable[[cdk.Stack], set[Any]]:
    """The names of the policies that are resources."""

    def names(stack: cdk.Stack) -> set[Any]:
        return {policy["Properties"]["PolicyName"] for policy in resources(stack, "AWS::IAM::RolePolicy")}

    return names


Statements = Callable[[cdk.Stack], list[Statement]]
BySid = Callable[[cdk.Stack, str], Statement]
PolicyNames = Callable[[cdk.Stack], set[Any]]


def test_only_sagemaker_on_behalf_of_this_account_takes_it_on(stack: cdk.Stack, only: Only) -> None:
    role(stack)
    [trust] = only(stack, "AWS::IAM::Role")["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert trust["Condition"] == {
        "StringEquals": {"aws:SourceAccount": ACCOUNT},
        "ArnLike": {"aws:SourceArn": f"arn:aws:sagemaker:eu-west-1:{ACCOUNT}:*"},
    }


def test_there_is_no_managed_policy(stack: cdk.Stack, only: Only) -> None:
    role(stack)
    assert "ManagedPolicyArns" not in only(stack, "AWS::IAM::Role")["Properties"]


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
        "ec2:DeleteNetworkInterfacePermission",
    }


def test_it_reads_the_weights_and_no_other_object(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    objects = "arn:aws:s3:::weights/mistral/v1/*"
    assert by_sid(stack, "ReadWeights") == {"Effect": "Allow", "Action": "s3:GetObject", "Resource": objects}


def test_it_lists_only_the_bucket_of_the_weights(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    bucket = "arn:aws:s3:::weights"
    assert by_sid(stack, "ListWeights") == {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": bucket}


def test_of_an_archive_it_reads_that_one_object(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack, ModelArtifact.from_uri("s3://weights/mistral.tar.gz"))
    assert by_sid(stack, "ReadWeights")["Resource"] == "arn:aws:s3:::weights/mistral.tar.gz"


def test_it_pulls_only_from_the_images_repository(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    repository = "arn:aws:ecr:eu-west-1:763104351884:repository/huggingface-pytorch-tgi-inference"
    assert by_sid(stack, "PullImage")["Resource"] == repository


def test_it_writes_only_to_the_endpoints_log_group(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    group = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:/aws/sagemaker/Endpoints/chat"
    assert by_sid(stack, "WriteLogs")["Resource"] == [group, f"{group}:*"]


def test_it_publishes_metrics_only_in_sagemakers_namespace(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    condition = by_sid(stack, "PublishMetrics")["Condition"]
    assert condition == {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}


def test_it_makes_interfaces_without_a_condition_on_the_interface_itself(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    assert by_sid(stack, "CreateInterfaces") == {
        "Effect": "Allow",
        "Action": "ec2:CreateNetworkInterface",
        "Resource": f"{EC2}:network-interface/*",
    }


def test_it_places_interfaces_only_in_subnets_and_groups_of_the_vpc(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    assert by_sid(stack, "PlaceInterfaces") == {
        "Effect": "Allow",
        "Action": "ec2:CreateNetworkInterface",
        "Resource": [f"{EC2}:security-group/*", f"{EC2}:subnet/*"],
        "Condition": IN_VPC,
    }


def test_it_attaches_and_removes_only_interfaces_of_the_vpc(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    assert by_sid(stack, "AttachInterfaces") == {
        "Effect": "Allow",
        "Action": ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
        "Resource": f"{EC2}:network-interface/*",
        "Condition": IN_VPC,
    }


def test_it_takes_interfaces_back_by_an_action_that_is_no_resources(stack: cdk.Stack, by_sid: BySid) -> None:
    role(stack)
    assert by_sid(stack, "DetachInterfaces") == {
        "Effect": "Allow",
        "Action": "ec2:DeleteNetworkInterfacePermission",
        "Resource": "*",
    }


def test_without_a_vpc_it_has_no_rights_in_ec2(stack: cdk.Stack, statements: Statements) -> None:
    role(stack, vpc_id=None)
    assert not any(action.startswith("ec2:") for s in statements(stack) for action in as_list(s["Action"]))


def test_policies_are_named_after_the_weights_the_endpoint_and_the_vpc(
    stack: cdk.Stack, policy_names: PolicyNames
) -> None:
    role(stack)
    assert policy_names(stack) == {"Artifact-mistral-v1-", "Logs-chat", "Interfaces-vpc-1"}


def test_a_policy_is_named_after_a_vpc_that_is_not_there_yet(stack: cdk.Stack, resources: Resources) -> None:
    vpc = IsolatedVpc(stack, "Vpc", availability_zones=["euw1-az1", "euw1-az2"]).vpc
    TgiExecutionRole(stack, "Role", artifact=ARTIFACT, image=IMAGE, endpoint_name="chat", vpc=vpc)
    names = [policy["Properties"]["PolicyName"] for policy in resources(stack, "AWS::IAM::RolePolicy")]
    assert {"Fn::Join": ["", ["Interfaces-", stack.resolve(vpc.vpc_id)]]} in names


@pytest.mark.parametrize("key", ["é/" * 9, f"{'x' * 990}/", f"{'a/' * 200}v2.tar.gz"])
def test_a_policys_name_is_one_that_iam_takes(key: str, stack: cdk.Stack, resources: Resources) -> None:
    role(stack, ModelArtifact.from_uri(f"s3://weights/{key}"), endpoint_name="x" * 63)
    for policy in resources(stack, "AWS::IAM::RolePolicy"):
        name = policy["Properties"]["PolicyName"]
        assert len(name) <= 128
        assert name.isascii()


def test_a_policys_name_keeps_the_end_of_a_long_key(stack: cdk.Stack, policy_names: PolicyNames) -> None:
    role(stack, ModelArtifact.from_uri(f"s3://weights/{'a/' * 200}v2.0.0/"))
    assert any(name.endswith("-v2.0.0-") for name in policy_names(stack))


def test_every_policy_is_the_roles(stack: cdk.Stack, resources: Resources) -> None:
    made = role(stack)
    names = [policy["Properties"]["RoleName"] for policy in resources(stack, "AWS::IAM::RolePolicy")]
    assert names == [stack.resolve(made.role_name)] * 3


@pytest.fixture
def whole(stack: cdk.Stack, make_endpoint: Callable[..., TgiEndpoint]) -> dict[str, dict[str, Any]]:
    """The resources of a network, its role and an endpoint, wired as the README has it, by logical id."""
    endpoint = make_endpoint()
    network = IsolatedVpc(stack, "Vpc", availability_zones=["euw1-az1", "euw1-az2"])
    group = ModelSecurityGroup(stack, "ModelGroup", vpc=network.vpc)
    made = TgiExecutionRole(stack, "ModelRole", artifact=ARTIFACT, image=IMAGE, endpoint_name="chat", vpc=network.vpc)
    made.outlive(*network.subnets, group)
    made.log_policy.node.add_dependency(endpoint.log_group)
    found: dict[str, dict[str, Any]] = Template.from_stack(stack).to_json()["Resources"]
    return found


def named(resources: dict[str, dict[str, Any]], kind: str, beginning: str = "") -> list[str]:
    """Logical ids of the resources of a type."""
    return [name for name, r in resources.items() if r["Type"] == kind and name.startswith(beginning)]


@pytest.mark.parametrize(("kind", "count"), [("AWS::EC2::Subnet", 2), ("AWS::EC2::SecurityGroup", 1)])
def test_the_right_to_remove_interfaces_outlives_what_they_hold(
    kind: str, count: int, whole: dict[str, dict[str, Any]]
) -> None:
    [policy] = named(whole, "AWS::IAM::RolePolicy", "ModelRoleInterfaces")
    held = named(whole, kind)
    assert len(held) == count
    assert all(policy in whole[name]["DependsOn"] for name in held)


def test_permission_to_log_is_deleted_before_the_log_group(whole: dict[str, dict[str, Any]]) -> None:
    [policy] = named(whole, "AWS::IAM::RolePolicy", "ModelRoleLogs")
    assert whole[policy]["DependsOn"] == named(whole, "AWS::Logs::LogGroup")


def test_nothing_waits_for_itself(whole: dict[str, dict[str, Any]]) -> None:
    assert [name for name in whole if name in after(whole, name)] == []


def test_without_a_vpc_there_is_nothing_to_outlive(stack: cdk.Stack) -> None:
    vpc = IsolatedVpc(stack, "Vpc", availability_zones=["euw1-az1", "euw1-az2"])
    role(stack, vpc_id=None).outlive(*vpc.subnets)
    subnets = Template.from_stack(stack).find_resources("AWS::EC2::Subnet")
    assert [name for name, subnet in subnets.items() if "DependsOn" in subnet] == []


def test_a_name_that_no_endpoint_can_have_is_refused(stack: cdk.Stack) -> None:
    with pytest.raises(InvalidPropsError, match="endpoint_name='my_endpoint': does not match"):
        role(stack, endpoint_name="my_endpoint")
