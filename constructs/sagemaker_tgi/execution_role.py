"""The role that SageMaker takes on to start and run the model's container."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.arns import ec2_arn, log_group_arn, s3_arn
from sagemaker_tgi.artifact import ModelArtifact
from sagemaker_tgi.compliance import acknowledge_wildcards
from sagemaker_tgi.image import EcrImage
from sagemaker_tgi.metrics import INSTANCE_NAMESPACE


class TgiExecutionRole(iam.Role):
    """What one endpoint's container needs and nothing else: its weights, its image, its log group, its metrics.

    The policies are inline, so that they exist as soon as the role does: CreateModel uses them at once. Actions are
    those of the SageMaker developer guide, "CreateModel API: execution role permissions".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artifact: ModelArtifact,
        image: EcrImage,
        endpoint_name: str,
        subnets: Sequence[ec2.ISubnet] = (),
        security_groups: Sequence[ec2.ISecurityGroup] = (),
    ) -> None:
        """Defines the role.

        Args:
            scope: Parent construct.
            construct_id: Id within `scope`.
            artifact: The weights that may be read.
            image: The container image whose repository may be pulled from.
            endpoint_name: The endpoint whose log group may be written.
            subnets: Subnets of the model's network interfaces. Default: none, the model is in no VPC.
            security_groups: Security groups of the model's network interfaces. Default: none.
        """
        stack = cdk.Stack.of(scope)
        objects = s3_arn(stack, artifact.object_pattern)
        log_streams = f"{log_group_arn(stack, endpoint_name)}:*"
        interfaces = ec2_arn(stack, "network-interface", "*")
        policies = {
            "Artifact": _read_artifact(objects, s3_arn(stack, artifact.bucket_name), artifact),
            "Image": _pull_image(stack, image),
            "Logs": _write_logs(log_group_arn(stack, endpoint_name), log_streams),
            "Metrics": _publish_metrics(),
        }
        if subnets:
            policies["Network"] = _attach_to_vpc(
                interfaces,
                [ec2_arn(stack, "subnet", subnet.subnet_id) for subnet in subnets],
                [ec2_arn(stack, "security-group", group.security_group_id) for group in security_groups],
            )
        super().__init__(
            scope,
            construct_id,
            description=f"SageMaker endpoint {endpoint_name}: model container",
            # Against the confused deputy: only on behalf of this account's SageMaker resources.
            assumed_by=iam.ServicePrincipal(
                "sagemaker.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {"aws:SourceArn": stack.format_arn(service="sagemaker", resource="*")},
                },
            ),
            inline_policies=policies,
        )
        acknowledge_wildcards(
            self,
            ["*"],
            "GetAuthorizationToken, PutMetricData and Describe… accept no other resource; "
            "a condition narrows PutMetricData to SageMaker's namespace",
        )
        acknowledge_wildcards(self, [objects], "the weights are all the objects under one prefix")
        acknowledge_wildcards(self, [log_streams], "log streams of this endpoint, named by SageMaker")
        acknowledge_wildcards(self, [interfaces], "SageMaker makes the interfaces; subnets and groups are named")


def _policy(*statements: iam.PolicyStatement) -> iam.PolicyDocument:
    return iam.PolicyDocument(statements=list(statements))


def _read_artifact(objects: str, bucket: str, artifact: ModelArtifact) -> iam.PolicyDocument:
    prefix = artifact.key if artifact.is_archive else f"{artifact.key}*"
    return _policy(
        iam.PolicyStatement(actions=["s3:GetObject"], resources=[objects]),
        iam.PolicyStatement(
            actions=["s3:ListBucket"], resources=[bucket], conditions={"StringLike": {"s3:prefix": prefix}}
        ),
    )


def _pull_image(stack: cdk.Stack, image: EcrImage) -> iam.PolicyDocument:
    repository = stack.format_arn(
        service="ecr",
        region=image.region,
        account=image.account,
        resource="repository",
        resource_name=image.repository,
    )
    return _policy(
        iam.PolicyStatement(
            actions=["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            resources=[repository],
        ),
        iam.PolicyStatement(actions=["ecr:GetAuthorizationToken"], resources=["*"]),
    )


def _write_logs(log_group: str, log_streams: str) -> iam.PolicyDocument:
    return _policy(
        iam.PolicyStatement(
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[log_group, log_streams],
        )
    )


def _publish_metrics() -> iam.PolicyDocument:
    return _policy(
        iam.PolicyStatement(
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": INSTANCE_NAMESPACE}},
        )
    )


def _attach_to_vpc(interfaces: str, subnets: list[str], security_groups: list[str]) -> iam.PolicyDocument:
    return _policy(
        iam.PolicyStatement(actions=["ec2:CreateNetworkInterface"], resources=[interfaces, *subnets, *security_groups]),
        iam.PolicyStatement(
            actions=[
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            resources=[interfaces],
            conditions={"ArnEquals": {"ec2:Subnet": subnets}},
        ),
        iam.PolicyStatement(
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=["*"],
        ),
    )
