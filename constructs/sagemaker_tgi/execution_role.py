"""The role that SageMaker assumes to start and run the model's container."""

import re
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct, IConstruct

from sagemaker_tgi.arns import NAME_PATTERN, ec2_arn, log_group_arn, log_group_name, s3_arn
from sagemaker_tgi.artifact import EcrImage, ModelArtifact
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.metrics import INSTANCE_NAMESPACE
from sagemaker_tgi.permissions import LeastPrivilegeRole, Permission, explain, policy_of, service_principal
from sagemaker_tgi.props import PropsCheck

_LONGEST_SUBJECT = 100  # of the 128 characters of a policy's name (policyNameType in the IAM API)


class TgiExecutionRole(LeastPrivilegeRole):
    """What one endpoint's container needs and nothing else: its weights, its image, its log group, its metrics.

    What names a thing that can be exchanged (weights, endpoint, VPC) is an `AWS::IAM::RolePolicy` with that thing's
    name in its own, which CloudFormation replaces rather than changes: during an update and a rollback, the old model
    keeps its permissions and the new one has its own. Sources: SageMaker developer guide, "CreateModel API: execution
    role permissions"; which action takes which resource and key: service authorization reference.
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
        rollback_alarms: Sequence[cloudwatch.IAlarm] = (),
    ) -> None:
        """Defines the role.

        Args:
            artifact: The weights that may be read.
            image: The container image whose repository may be pulled from.
            endpoint_name: The endpoint whose log group may be written.
            vpc: VPC of the model's network interfaces. Default: none, the model is in no VPC.
            data_capture: Where requests and answers are kept. Default: they are not.
            rollback_alarms: Alarms by which SageMaker rolls updates back. Default: none.
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
        super().__init__(
            scope,
            construct_id,
            description=f"SageMaker endpoint {endpoint_name}: model container",
            assumed_by=service_principal(
                stack, "sagemaker.amazonaws.com", stack.format_arn(service="sagemaker", resource="*")
            ),
            trust="SageMaker starts the container with it, on behalf of this account's SageMaker resources only",
            policies={
                "Image": [
                    Permission(
                        "PullImage",
                        "the container's image, from its one repository",
                        ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
                        [repository],
                    ),
                    Permission(
                        "RegistryLogin",
                        "every pull begins with a token of the registry. IAM accepts no resource for it",
                        ["ecr:GetAuthorizationToken"],
                        ["*"],
                        wildcard="IAM accepts no other resource for GetAuthorizationToken",
                    ),
                ],
                "Metrics": [
                    Permission(
                        "PublishMetrics",
                        "CPU, memory, GPU and disk of the instances. CloudWatch narrows it by namespace, which the "
                        "condition does, not by resource",
                        ["cloudwatch:PutMetricData"],
                        ["*"],
                        {"StringEquals": {"cloudwatch:namespace": INSTANCE_NAMESPACE}},
                        wildcard="PutMetricData accepts no other resource; a condition narrows it to one namespace",
                    )
                ],
            },
        )
        listed = {"StringLike": {"s3:prefix": [artifact.key.rstrip("/"), f"{artifact.key}*"]}}
        through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{stack.region}.{stack.url_suffix}"}}
        weights = [
            Permission(
                "ReadWeights",
                "SageMaker copies the weights to each instance: this model version's, nothing else of the bucket",
                ["s3:GetObject"],
                [s3_arn(stack, artifact.object_pattern)],
                artifact.conditions,
            ),
            Permission(
                "ListWeights",
                "to find the files of the weights",
                ["s3:ListBucket"],
                [s3_arn(stack, artifact.bucket_name)],
                artifact.conditions and artifact.conditions | listed,
            ),
        ]
        if key := artifact.encryption_key_arn:
            reason = "Amazon S3 decrypts the weights with this key, for this role through Amazon S3 only"
            weights.append(Permission("DecryptWeights", reason, ["kms:Decrypt"], [key], through_s3))
        self._add_policy(
            "Artifact", f"{artifact.bucket_name}-{artifact.key}" if artifact.account else artifact.key, *weights
        )
        log_group = log_group_arn(stack, log_group_name(endpoint_name))
        self.log_policy = self._add_policy(
            "Logs",
            endpoint_name,
            Permission(
                "WriteLogs",
                "the container's log, in this endpoint's log group only; SageMaker's documentation asks for "
                "CreateLogGroup, too, though the stack makes the group",
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                [log_group, f"{log_group}:*"],
            ),
        )
        """What may write the log. Let it depend on the log group, which a late line would create again otherwise."""
        self._interface_policy = None if vpc is None else self._attach_to(vpc)
        if data_capture is not None:
            self._add_policy(
                "DataCapture",
                "",
                Permission(
                    "WriteCaptured",
                    "captured requests and answers, below this one prefix",
                    ["s3:PutObject"],
                    [data_capture.bucket.arn_for_objects(f"{data_capture.prefix}/*")],
                ),
                Permission(
                    "EncryptCaptured",
                    "Amazon S3 encrypts what is kept with this key, for this role through Amazon S3 only; large "
                    "objects are written in parts, which takes Decrypt",
                    ["kms:Decrypt", "kms:GenerateDataKey"],
                    [data_capture.encryption_key.key_arn],
                    through_s3,
                ),
            )
        if rollback_alarms:
            self._add_policy(
                "RollbackAlarms",
                endpoint_name,
                Permission(
                    "WatchAlarms",
                    "SageMaker looks at the alarms that roll an update back, with this role",
                    ["cloudwatch:DescribeAlarms"],
                    [alarm.alarm_arn for alarm in rollback_alarms],
                ),
            )

    def outlive(self, *constructs: IConstruct) -> None:
        """Keeps the right to remove network interfaces until these subnets and security groups have gone.

        SageMaker removes an endpoint's interfaces minutes after the endpoint, with this role (SageMaker API,
        DeleteEndpoint), and until then they hold their subnets and groups. Imported ones are not changed.
        """
        if self._interface_policy is not None:
            for construct in constructs:
                construct.node.add_dependency(self._interface_policy)

    def _attach_to(self, vpc: ec2.IVpc) -> iam.CfnRolePolicy:
        interfaces = ec2_arn(self.stack, "network-interface", "*")
        in_vpc = {"ArnEquals": {"ec2:Vpc": ec2_arn(self.stack, "vpc", vpc.vpc_id)}}
        return self._add_policy(
            "Interfaces",
            vpc.vpc_id,
            Permission(
                "CreateInterfaces",
                "the model's network interfaces; where they may be, the next statement says",
                ["ec2:CreateNetworkInterface"],
                [interfaces],
            ),
            Permission(
                "PlaceInterfaces",
                "in subnets and with security groups of this VPC only. A role that named them could not outlive them",
                ["ec2:CreateNetworkInterface"],
                [ec2_arn(self.stack, kind, "*") for kind in ("subnet", "security-group")],
                in_vpc,
            ),
            Permission(
                "AttachInterfaces",
                "to hand the interfaces to the instances and to remove them again, in this VPC only",
                ["ec2:CreateNetworkInterfacePermission", "ec2:DeleteNetworkInterface"],
                [interfaces],
                in_vpc,
            ),
            Permission(
                "DetachInterfaces",
                "to take them back from the instances. By AWS's reference the action takes no resource",
                ["ec2:DeleteNetworkInterfacePermission"],
                ["*"],
            ),
            Permission(
                "DescribeNetwork",
                "SageMaker looks up subnets, security groups and DHCP options. IAM takes no resource for these",
                [
                    "ec2:DescribeDhcpOptions",
                    "ec2:DescribeNetworkInterfaces",
                    "ec2:DescribeSecurityGroups",
                    "ec2:DescribeSubnets",
                    "ec2:DescribeVpcs",
                ],
                ["*"],
            ),
        )

    def _add_policy(self, construct_id: str, subject: str, *permissions: Permission) -> iam.CfnRolePolicy:
        """Adds an inline policy that is replaced when its subject is, whose name is in the policy's."""
        name = subject if cdk.Token.is_unresolved(subject) else re.sub(r"(?a)[^\w.-]", "-", subject)[-_LONGEST_SUBJECT:]
        explain(self, permissions)
        return iam.CfnRolePolicy(
            self,
            construct_id,
            role_name=self.role_name,
            policy_name=f"{construct_id}-{name}" if name else construct_id,
            policy_document=policy_of(permissions),
        )
