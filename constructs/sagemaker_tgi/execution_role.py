"""The role that SageMaker takes on to start and run the model's container."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.arns import NAME_PATTERN, ec2_arn, log_group_arn, log_group_name, s3_arn
from sagemaker_tgi.artifact import ModelArtifact
from sagemaker_tgi.compliance import acknowledge_rule, acknowledge_wildcards, explain_statements
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.image import EcrImage
from sagemaker_tgi.metrics import INSTANCE_NAMESPACE
from sagemaker_tgi.props import MAX_SECURITY_GROUPS, MAX_SUBNETS, PropsCheck

_TRUST = "sts:AssumeRole"
# Why each statement is there, by its Sid.
_REASONS = {
    _TRUST: "SageMaker starts the container with it, on behalf of this account's SageMaker resources alone",
    "ReadWeights": "SageMaker copies the weights to each instance: this model version's, nothing else of the bucket",
    "ListWeights": "to find the files under the prefix of the weights, and no others",
    "PullImage": "the container's image, from its one repository",
    "RegistryLogin": "every pull begins with a token of the registry. IAM accepts no resource for it",
    "WriteLogs": "the container's log, in this endpoint's log group alone; SageMaker's documentation asks for "
    "CreateLogGroup, too, though the stack makes the group",
    "PublishMetrics": "CPU, memory, GPU and disk of the instances. CloudWatch narrows it by namespace, which the "
    "condition does, not by resource",
    "CreateInterfaces": "the model's network interfaces, in these subnets and with these security groups alone",
    "AttachInterfaces": "to hand the interfaces to the instances and to remove them again, in these subnets alone",
    "DescribeNetwork": "SageMaker looks up subnets, security groups and DHCP options. IAM takes no resource for these",
    "WriteCaptured": "requests and answers that are kept, below this one prefix",
    "EncryptCaptured": "Amazon S3 encrypts what is kept with this key, for this role through Amazon S3 alone; large "
    "objects are written in parts, which takes Decrypt",
}


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
        data_capture: DataCapture | None = None,
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
            data_capture: Where requests and answers are kept. Default: they are not.

        Raises:
            InvalidPropsError: with every problem of the props.
        """
        check = PropsCheck(scope, construct_id)
        check.matches("endpoint_name", endpoint_name, NAME_PATTERN, "use up to 63 letters, digits and hyphens")
        check.between("subnets (count)", len(subnets), 0, MAX_SUBNETS)
        check.between("security_groups (count)", len(security_groups), 0, MAX_SECURITY_GROUPS)
        check.raise_problems()
        stack = cdk.Stack.of(scope)
        objects = s3_arn(stack, artifact.object_pattern)
        log_group = log_group_arn(stack, log_group_name(endpoint_name))
        log_streams = f"{log_group}:*"
        interfaces = ec2_arn(stack, "network-interface", "*")
        policies = {
            "Artifact": _read_artifact(objects, s3_arn(stack, artifact.bucket_name), artifact),
            "Image": _pull_image(stack, image),
            "Logs": _write_logs(log_group, log_streams),
            "Metrics": _publish_metrics(),
        }
        wildcards = {
            "*": "GetAuthorizationToken, PutMetricData and Describe… accept no other resource; "
            "a condition narrows PutMetricData to SageMaker's namespace",
            log_streams: "log streams of this endpoint, named by SageMaker",
        }
        if not artifact.is_archive:
            wildcards[objects] = "the weights are all the objects under one prefix"
        if subnets:
            policies["Network"] = _attach_to_vpc(
                interfaces,
                [ec2_arn(stack, "subnet", subnet.subnet_id) for subnet in subnets],
                [ec2_arn(stack, "security-group", group.security_group_id) for group in security_groups],
            )
            wildcards[interfaces] = "SageMaker makes the interfaces; subnets and groups are named"
        if data_capture is not None:
            captured = data_capture.bucket.arn_for_objects(f"{data_capture.prefix}/*")
            policies["DataCapture"] = _write_captured(stack, captured, data_capture.encryption_key.key_arn)
            wildcards[captured] = "one object for every few minutes of requests, named by SageMaker"
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
            inline_policies={name: iam.PolicyDocument(statements=policy) for name, policy in policies.items()},
        )
        sids = {statement.sid for policy in policies.values() for statement in policy}
        explain_statements(self, {sid: reason for sid, reason in _REASONS.items() if sid in sids or sid == _TRUST})
        for resource, reason in wildcards.items():
            acknowledge_wildcards(self, [resource], reason)
        acknowledge_rule(
            self,
            "IAMNoInlinePolicy",
            "CreateModel uses the permissions at once, so they come with the role; they name this endpoint's own "
            "weights, logs and subnets, and a managed policy could be attached elsewhere",
        )


def _read_artifact(objects: str, bucket: str, artifact: ModelArtifact) -> list[iam.PolicyStatement]:
    prefix = artifact.key if artifact.is_archive else f"{artifact.key}*"
    return [
        iam.PolicyStatement(sid="ReadWeights", actions=["s3:GetObject"], resources=[objects]),
        iam.PolicyStatement(
            sid="ListWeights",
            actions=["s3:ListBucket"],
            resources=[bucket],
            conditions={"StringLike": {"s3:prefix": prefix}},
        ),
    ]


def _pull_image(stack: cdk.Stack, image: EcrImage) -> list[iam.PolicyStatement]:
    repository = stack.format_arn(
        service="ecr",
        region=image.region,
        account=image.account,
        resource="repository",
        resource_name=image.repository,
    )
    return [
        iam.PolicyStatement(
            sid="PullImage",
            actions=["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
            resources=[repository],
        ),
        iam.PolicyStatement(sid="RegistryLogin", actions=["ecr:GetAuthorizationToken"], resources=["*"]),
    ]


def _write_logs(log_group: str, log_streams: str) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="WriteLogs",
            actions=["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[log_group, log_streams],
        )
    ]


def _publish_metrics() -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="PublishMetrics",
            actions=["cloudwatch:PutMetricData"],
            resources=["*"],
            conditions={"StringEquals": {"cloudwatch:namespace": INSTANCE_NAMESPACE}},
        )
    ]


def _attach_to_vpc(interfaces: str, subnets: list[str], security_groups: list[str]) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(
            sid="CreateInterfaces",
            actions=["ec2:CreateNetworkInterface"],
            resources=[interfaces, *subnets, *security_groups],
        ),
        iam.PolicyStatement(
            sid="AttachInterfaces",
            actions=[
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            resources=[interfaces],
            conditions={"ArnEquals": {"ec2:Subnet": subnets}},
        ),
        iam.PolicyStatement(
            sid="DescribeNetwork",
            actions=[
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeNetworkInterfaces",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            resources=["*"],
        ),
    ]


def _write_captured(stack: cdk.Stack, objects: str, key: str) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(sid="WriteCaptured", actions=["s3:PutObject"], resources=[objects]),
        iam.PolicyStatement(
            sid="EncryptCaptured",
            actions=["kms:Decrypt", "kms:GenerateDataKey"],
            resources=[key],
            conditions={"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}},
        ),
    ]
