"""A record of every connection of a VPC."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from sagemaker_tgi.arns import ec2_arn, log_group_arn
from sagemaker_tgi.compliance import acknowledge_rule, acknowledge_wildcards, explain_statements
from sagemaker_tgi.props import PropsCheck


class VpcFlowLog(cdk.Resource):
    """Flow logs of a VPC, accepted and rejected traffic alike, in an encrypted log group of their own.

    A VPC without a way to the internet has few connections, so the log stays small: it tells who invoked the endpoint
    from inside, and what the model tried to reach besides its weights.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc,
        log_group_name: str,
        encryption_key: kms.IKey | None = None,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        log_removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
    ) -> None:
        """Defines the flow log.

        Args:
            vpc: The VPC.
            log_group_name: Name of the log group; the key's policy has to name it too.
            encryption_key: Key of the log group. Default: CloudWatch Logs' own.
            log_retention: How long records are kept.
            log_removal_policy: What happens to the log group on removal.
        """
        with PropsCheck(scope, construct_id) as check:
            check.names_log_group("log_group_name", log_group_name)
        super().__init__(scope, construct_id)
        self.log_group: logs.ILogGroup = logs.LogGroup(
            self,
            "LogGroup",
            log_group_name=log_group_name,
            encryption_key=encryption_key,
            retention=log_retention,
            removal_policy=log_removal_policy,
        )
        """Where the records are."""
        role = self._role(log_group_arn(self.stack, log_group_name))
        flow_log = ec2.CfnFlowLog(
            self,
            "Resource",
            resource_type="VPC",
            resource_id=vpc.vpc_id,
            traffic_type="ALL",
            log_destination_type="cloud-watch-logs",
            log_group_name=self.log_group.log_group_name,
            deliver_logs_permission_arn=role.role_arn,
        )
        cdk.Tags.of(flow_log).add("Name", self.node.path)

    def _role(self, log_group: str) -> iam.Role:
        """Source: Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs"."""
        streams = f"{log_group}:*"
        statement = iam.PolicyStatement(
            sid="WriteFlowLogs",
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[log_group, streams],
        )
        role = iam.Role(
            self,
            "Role",
            description="VPC flow logs: delivery to CloudWatch Logs",
            # Against the confused deputy: only on behalf of this account's flow logs.
            assumed_by=iam.ServicePrincipal(
                "vpc-flow-logs.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": self.stack.account},
                    "ArnLike": {"aws:SourceArn": ec2_arn(self.stack, "vpc-flow-log", "*")},
                },
            ),
            inline_policies={"FlowLogs": iam.PolicyDocument(statements=[statement])},
        )
        explain_statements(
            role,
            {
                "sts:AssumeRole": "the flow log service delivers, on behalf of this account's flow logs alone",
                "WriteFlowLogs": "one log stream for each network interface, in this log group",
            },
        )
        acknowledge_wildcards(role, [streams], "log streams of this group, named by the service after the interfaces")
        acknowledge_rule(
            role,
            "IAMNoInlinePolicy",
            "the policy names this one log group and goes with its role; a managed one could be attached elsewhere",
        )
        return role
