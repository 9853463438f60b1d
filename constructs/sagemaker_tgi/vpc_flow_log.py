"""A record of every connection of a VPC."""

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_logs as logs
from constructs import Construct

from sagemaker_tgi.arns import ec2_arn, log_group_arn
from sagemaker_tgi.log_group import DEFAULT_LOG, LogOptions
from sagemaker_tgi.permissions import LeastPrivilegeRole, Permission, service_principal
from sagemaker_tgi.props import PropsCheck


class VpcFlowLog(cdk.Resource):
    """Flow logs of a VPC, accepted and rejected traffic alike, in an encrypted log group of their own.

    An isolated VPC has few connections, so the log stays small. It shows who invoked the endpoint from inside the VPC,
    and what the model tried to reach besides its weights.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, vpc: ec2.IVpc, log_group_name: str, log: LogOptions = DEFAULT_LOG
    ) -> None:
        """Defines the flow log.

        Args:
            log_group_name: Name of the log group; the key's policy has to name it too.
            log: How the records are kept. Default key: CloudWatch Logs' own.
        """
        with PropsCheck(scope, construct_id) as check:
            check.names_log_group("log_group_name", log_group_name)
        super().__init__(scope, construct_id)
        self.log_group: logs.ILogGroup = log.new_group(self, log_group_name)
        """Where the records are."""
        group = log_group_arn(self.stack, log_group_name)
        # Source: Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs".
        write = Permission(
            sid="WriteFlowLogs",
            reason="one log stream for each network interface, in this log group",
            actions=["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            resources=[group, f"{group}:*"],
            wildcard="log streams of this group, named by the service after the interfaces",
        )
        flow_logs = ec2_arn(self.stack, "vpc-flow-log", "*")
        role = LeastPrivilegeRole(
            self,
            "Role",
            description="VPC flow logs: delivery to CloudWatch Logs",
            assumed_by=service_principal(self.stack, "vpc-flow-logs.amazonaws.com", flow_logs),
            trust="the flow log service delivers, on behalf of this account's flow logs only",
            policies={"FlowLogs": [write]},
        )
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
