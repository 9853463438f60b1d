"""The role that SageMaker assumes to start and run the model's container."""

import re
from collections.abc import Mapping, Sequence

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
# The actions of each statement, by its Sid, and why it is there. Sources: SageMaker developer guide, "CreateModel API:
# execution role permissions"; which action takes which resource and key: service authorization reference.
_STATEMENTS: Mapping[str, tuple[list[str], str]] = {
    "ReadWeights": (
        ["s3:GetObject"],
        "SageMaker copies the weights to each instance: this model version's, nothing else of the bucket",
    ),
    "ListWeights": (["s3:ListBucket"], "to find the files of the weights"),
    "PullImage": (
        ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        "the container's image, from its one repository",
    ),
    "RegistryLogin": (
        ["ecr:GetAuthorizationToken"],
        "every pull begins with a token of the registry. IAM accepts no resource for it",
    ),
    "WriteLogs": (
        ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "the container's log, in this endpoint's log group alone; SageMaker's documentation asks for "
        "CreateLogGroup, too, though the stack makes the group",
    ),
    "PublishMetrics": (
        ["cloudwatch:PutMetricData"],
        "CPU, memory, GPU and disk of the instances. CloudWatch narrows it by namespace, which the "
        "condition does, not by resource",
    ),
    "CreateInterfaces": (
        ["ec2:CreateNetworkInterface"],
        "the model's network interfaces; where they may be, the next statement says",
    ),
    "PlaceInterfaces": (
        ["ec2:CreateNetworkInterface"],
        "in subnets and with security groups of this VPC alone. A role that named them could not outlive them",
    ),
    "AttachInterfaces": (
        ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
        "to hand the interfaces to the instances and to remove them again, in this VPC alone",
    ),
    "DetachInterfaces": (
        ["ec2:DeleteNetworkInterfacePermission"],
        "to take them back from the instances. The action is no resource's, by AWS's reference",
    ),
    "DescribeNetwork": (
        [
            "ec2:DescribeDhcpOptions",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVpcs",
        ],
        "SageMaker looks up subnets, security groups and DHCP options. IAM takes no resource for these",
    ),
    "WriteCaptured": (["s3:PutObject"], "requests and answers that are kept, below this one prefix"),
    "EncryptCaptured": (
        ["kms:Decrypt", "kms:GenerateDataKey"],
        "Amazon S3 encrypts what is kept with this key, for this role through Amazon S3 alone; large "
        "objects are written in parts, which takes Decrypt",
    ),
}


class TgiExecutionRole(iam.Role):
    """What one endpoint's container needs and nothing else: its weights, its image, its log group, its metrics.

    What names a thing that can be exchanged (weights, endpoint, VPC) is an `AWS::IAM::RolePolicy` with that thing's
    name in its own, which CloudFormation replaces rather than changes: during an update and a rollback, the old model
    keeps its permissions and the new one has its own.
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
            artifact: The weights that may be read.
            image: The container image whose repository may be pulled from.
            endpoint_name: The endpoint whose log group may be written.
            vpc: VPC of the model's network interfaces. Default: none, the model is in no VPC.
            data_capture: Where requests and answers are kept. Default: they are not.
        """
        with PropsCheck(scope, construct_id) as check:
            check.matches("endpoint_name", endpoint_name, NAME_PATTERN, "use up to 63 letters, digits and hyphens")
        stack = cdk.Stack.of(scope)
        repository = stack.format_arn(
            service="ecr",
            region=image.region,
            account=image.account,
            resource="repository",
            resource_name=image.repository,
        )
        namespace = {"StringEquals": {"cloudwatch:namespace": INSTANCE_NAMESPACE}}
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
                "Image": _policy([_allow("PullImage", repository), _allow("RegistryLogin", "*")]),
                "Metrics": _policy([_allow("PublishMetrics", "*", conditions=namespace)]),
            },
        )
        trust = "SageMaker starts the container with it, on behalf of this account's SageMaker resources alone"
        explain_statements(self, {_TRUST: trust} | _reasons(["PullImage", "RegistryLogin", "PublishMetrics"]))
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
        self._add_policy(
            "Artifact",
            artifact.key,
            _allow("ReadWeights", s3_arn(stack, artifact.object_pattern)),
            _allow("ListWeights", s3_arn(stack, artifact.bucket_name)),
        )
        log_group = log_group_arn(stack, log_group_name(endpoint_name))
        self.log_policy = self._add_policy("Logs", endpoint_name, _allow("WriteLogs", log_group, f"{log_group}:*"))
        """What may write the log. Let it depend on the log group, which a late line would create again otherwise."""
        self._interface_policy = None if vpc is None else self._attach_to(vpc)
        if data_capture is not None:
            through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}}
            self._add_policy(
                "DataCapture",
                "",
                _allow("WriteCaptured", data_capture.bucket.arn_for_objects(f"{data_capture.prefix}/*")),
                _allow("EncryptCaptured", data_capture.encryption_key.key_arn, conditions=through_s3),
            )

    def outlive(self, *constructs: IConstruct) -> None:
        """Keeps the right to remove network interfaces until these subnets and security groups have gone.

        SageMaker removes an endpoint's interfaces minutes after the endpoint, with this role (SageMaker API,
        DeleteEndpoint), and until then they hold their subnets and groups. Imported ones are left alone.
        """
        if self._interface_policy is not None:
            for construct in constructs:
                construct.node.add_dependency(self._interface_policy)

    def _attach_to(self, vpc: ec2.IVpc) -> iam.CfnRolePolicy:
        interfaces = ec2_arn(self.stack, "network-interface", "*")
        places = [ec2_arn(self.stack, kind, "*") for kind in ("subnet", "security-group")]
        in_vpc = {"ArnEquals": {"ec2:Vpc": ec2_arn(self.stack, "vpc", vpc.vpc_id)}}
        return self._add_policy(
            "Interfaces",
            vpc.vpc_id,
            _allow("CreateInterfaces", interfaces),
            _allow("PlaceInterfaces", *places, conditions=in_vpc),
            _allow("AttachInterfaces", interfaces, conditions=in_vpc),
            _allow("DetachInterfaces", "*"),
            _allow("DescribeNetwork", "*"),
        )

    def _add_policy(self, construct_id: str, subject: str, *statements: iam.PolicyStatement) -> iam.CfnRolePolicy:
        """Adds an inline policy that is replaced when its subject is, whose name is in the policy's."""
        name = subject if cdk.Token.is_unresolved(subject) else re.sub(r"(?a)[^\w.-]", "-", subject)[-_LONGEST_SUBJECT:]
        explain_statements(self, _reasons([str(statement.sid) for statement in statements]))
        return iam.CfnRolePolicy(
            self,
            construct_id,
            role_name=self.role_name,
            policy_name=f"{construct_id}-{name}" if name else construct_id,
            policy_document=_policy(statements),
        )


def _policy(statements: Sequence[iam.PolicyStatement]) -> iam.PolicyDocument:
    return iam.PolicyDocument(statements=list(statements))


def _allow(sid: str, *resources: str, conditions: Mapping[str, Mapping[str, str]] | None = None) -> iam.PolicyStatement:
    return iam.PolicyStatement(sid=sid, actions=_STATEMENTS[sid][0], resources=list(resources), conditions=conditions)


def _reasons(sids: Sequence[str]) -> dict[str, str]:
    return {sid: _STATEMENTS[sid][1] for sid in sids}
