"""The role that SageMaker takes on to start and run the model's container."""

import re
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from sagemaker_tgi.arns import NAME_PATTERN, ec2_arn, log_group_arn, log_group_name, s3_arn
from sagemaker_tgi.artifact import ModelArtifact
from sagemaker_tgi.compliance import acknowledge_rule, acknowledge_wildcards, explain_statements
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.image import EcrImage
from sagemaker_tgi.metrics import INSTANCE_NAMESPACE
from sagemaker_tgi.props import PropsCheck

_TRUST = "sts:AssumeRole"
_LONGEST_SUBJECT = 100  # of the 128 characters of a policy's name (policyNameType in the IAM API)
# Why each statement is there, by its Sid.
_REASONS = {
    _TRUST: "SageMaker starts the container with it, on behalf of this account's SageMaker resources alone",
    "ReadWeights": "SageMaker copies the weights to each instance: this model version's, nothing else of the bucket",
    "ListWeights": "to find the files of the weights",
    "PullImage": "the container's image, from its one repository",
    "RegistryLogin": "every pull begins with a token of the registry. IAM accepts no resource for it",
    "WriteLogs": "the container's log, in this endpoint's log group alone; SageMaker's documentation asks for "
    "CreateLogGroup, too, though the stack makes the group",
    "PublishMetrics": "CPU, memory, GPU and disk of the instances. CloudWatch narrows it by namespace, which the "
    "condition does, not by resource",
    "CreateInterfaces": "the model's network interfaces; where they may be, the next statement says",
    "PlaceInterfaces": "in subnets and with security groups of this VPC alone. A role that named them could not "
    "outlive them",
    "AttachInterfaces": "to hand the interfaces to the instances and to remove them again, in this VPC alone",
    "DetachInterfaces": "to take them back from the instances. The action is no resource's, by AWS's reference",
    "DescribeNetwork": "SageMaker looks up subnets, security groups and DHCP options. IAM takes no resource for these",
    "WriteCaptured": "requests and answers that are kept, below this one prefix",
    "EncryptCaptured": "Amazon S3 encrypts what is kept with this key, for this role through Amazon S3 alone; large "
    "objects are written in parts, which takes Decrypt",
}


class TgiExecutionRole(iam.Role):
    """What one endpoint's container needs and nothing else: its weights, its image, its log group, its metrics.

    What names a thing that can be exchanged (weights, endpoint, VPC) is an `AWS::IAM::RolePolicy` with that thing's
    name in its own, which CloudFormation replaces rather than changes: during an update and its way back, the old
    model has its permissions and the new one has its own. Actions are those of the SageMaker developer guide,
    "CreateModel API: execution role permissions".
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        artifact: ModelArtifact,
        image: EcrImage,
        endpoint_name: str,
        vpc: ec2.IVpc | None = None,
        data_capture: DataCapture | None = None,
    ) -> None:
        """Defines the role.

        Args:
            scope: Parent construct.
            construct_id: Id within `scope`.
            artifact: The weights that may be read.
            image: The container image whose repository may be pulled from.
            endpoint_name: The endpoint whose log group may be written.
            vpc: VPC of the model's network interfaces. Default: none, the model is in no VPC.
            data_capture: Where requests and answers are kept. Default: they are not.

        Raises:
            InvalidPropsError: if no endpoint can be called so.
        """
        check = PropsCheck(scope, construct_id)
        check.matches("endpoint_name", endpoint_name, NAME_PATTERN, "use up to 63 letters, digits and hyphens")
        check.raise_problems()
        stack = cdk.Stack.of(scope)
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
            inline_policies={
                "Image": iam.PolicyDocument(statements=_pull_image(stack, image)),
                "Metrics": iam.PolicyDocument(statements=_publish_metrics()),
            },
        )
        self._explain([_TRUST, "PullImage", "RegistryLogin", "PublishMetrics"])
        acknowledge_wildcards(
            self,
            ["*"],
            "GetAuthorizationToken and PutMetricData accept no other resource; a condition narrows PutMetricData to "
            "SageMaker's namespace",
        )
        acknowledge_rule(
            self,
            "IAMNoInlinePolicy",
            "CreateModel uses the permissions at once, so they come with the role; a managed policy could be attached "
            "elsewhere",
        )
        objects = s3_arn(stack, artifact.object_pattern)
        self._let("Artifact", artifact.key, _read_artifact(objects, s3_arn(stack, artifact.bucket_name)))
        log_group = log_group_arn(stack, log_group_name(endpoint_name))
        self.log_policy = self._let("Logs", endpoint_name, _write_logs(log_group, f"{log_group}:*"))
        """What may write the log. Let it depend on the log group: where that goes last, a late line makes it anew."""
        self._interface_policy = None if vpc is None else self._attach_to(vpc)
        if data_capture is not None:
            captured = data_capture.bucket.arn_for_objects(f"{data_capture.prefix}/*")
            self._let("DataCapture", "", _write_captured(stack, captured, data_capture.encryption_key.key_arn))

    def outlive(self, *constructs: IConstruct) -> None:
        """Keeps the right to remove network interfaces until these subnets and security groups have gone.

        SageMaker removes an endpoint's interfaces minutes after the endpoint, with this role (SageMaker API,
        DeleteEndpoint), and until then they hold their subnets and groups. Those that exist anyway are left alone.
        """
        if self._interface_policy is not None:
            for construct in constructs:
                construct.node.add_dependency(self._interface_policy)

    def _attach_to(self, vpc: ec2.IVpc) -> iam.CfnRolePolicy:
        interfaces = ec2_arn(self.stack, "network-interface", "*")
        places = [ec2_arn(self.stack, kind, "*") for kind in ("subnet", "security-group")]
        in_vpc = {"ArnEquals": {"ec2:Vpc": ec2_arn(self.stack, "vpc", vpc.vpc_id)}}
        return self._let("Interfaces", vpc.vpc_id, _attach_to_vpc(interfaces, places, in_vpc))

    def _let(self, construct_id: str, about: str, statements: list[iam.PolicyStatement]) -> iam.CfnRolePolicy:
        """Lets the role do something `about` a thing by a policy that is replaced when the thing is."""
        name = about if cdk.Token.is_unresolved(about) else re.sub(r"(?a)[^\w.-]", "-", about)[-_LONGEST_SUBJECT:]
        self._explain([str(statement.sid) for statement in statements])
        return iam.CfnRolePolicy(
            self,
            construct_id,
            role_name=self.role_name,
            policy_name=f"{construct_id}-{name}" if name else construct_id,
            policy_document=iam.PolicyDocument(statements=statements),
        )

    def _explain(self, sids: list[str]) -> None:
        explain_statements(self, {sid: _REASONS[sid] for sid in sids})


def _read_artifact(objects: str, bucket: str) -> list[iam.PolicyStatement]:
    return [
        iam.PolicyStatement(sid="ReadWeights", actions=["s3:GetObject"], resources=[objects]),
        iam.PolicyStatement(sid="ListWeights", actions=["s3:ListBucket"], resources=[bucket]),
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


def _attach_to_vpc(
    interfaces: str, places: list[str], in_vpc: Mapping[str, Mapping[str, str]]
) -> list[iam.PolicyStatement]:
    """Source of what takes which key: service authorization reference, Amazon EC2."""
    return [
        iam.PolicyStatement(sid="CreateInterfaces", actions=["ec2:CreateNetworkInterface"], resources=[interfaces]),
        iam.PolicyStatement(
            sid="PlaceInterfaces", actions=["ec2:CreateNetworkInterface"], resources=places, conditions=in_vpc
        ),
        iam.PolicyStatement(
            sid="AttachInterfaces",
            actions=["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
            resources=[interfaces],
            conditions=in_vpc,
        ),
        iam.PolicyStatement(sid="DetachInterfaces", actions=["ec2:DeleteNetworkInterfacePermission"], resources=["*"]),
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
