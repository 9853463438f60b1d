"""The network of one environment: where the model's interfaces are and how callers get to the runtime."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from mistral7b.environment import Environment, ExistingVpc, OwnVpc
from sagemaker_tgi import (
    IsolatedVpc,
    ModelSecurityGroup,
    RuntimeInterfaceEndpoint,
    VpcFlowLog,
    acknowledge,
)
from stacks.base import EnvironmentStack
from stacks.encryption import encryption_key
from stacks.retention import REMOVAL, RETENTION_DAYS


class NetworkStack(EnvironmentStack):
    """An isolated VPC of the environment's own, or endpoints in an existing one.

    The endpoint stack imports VPC, route tables, subnets and security group, and CloudFormation refuses to change or
    remove what is imported (`defaultCrossStackReferences: strong` in cdk.json). That is wanted: with the CDK's weak
    references a VPC could be replaced under a running model, whose new instances then find no way to their weights.
    To change CIDR, zones or VPC, destroy the endpoint stack first. Nothing else that a file can change is imported.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        """Defines the stack."""
        super().__init__(scope, construct_id, environment=environment, description="network")
        existing = environment.network.existing_vpc
        self.vpc, self.route_table_ids = (
            _existing_vpc(self, existing)
            if existing is not None
            else _own_vpc(self, environment.own_vpc or OwnVpc(), environment.availability_zones)
        )
        """The model's VPC, and the route tables that its way to S3 belongs on; none where an existing VPC has one."""
        self.subnets: list[ec2.ISubnet] = self.vpc.isolated_subnets
        """Subnets of the model."""
        self.security_group = ModelSecurityGroup(
            self, "Model", vpc=self.vpc, s3_prefix_list_id=environment.network.s3_prefix_list_id
        ).security_group
        """Security group of the model."""
        if environment.network.runtime_endpoint:
            RuntimeInterfaceEndpoint(
                self,
                "Runtime",
                vpc=self.vpc,
                subnets=self.subnets,
                endpoint_name=environment.resolved_endpoint_name,
            )
        if existing is None:
            self._record_connections(environment)
        cdk.CfnOutput(self, "VpcId", value=self.vpc.vpc_id, description="VPC of the model and of private callers")

    def _record_connections(self, environment: Environment) -> None:
        log_group_name = f"/mistral7b/{environment.name}/vpc-flow-logs"
        VpcFlowLog(
            self,
            "FlowLog",
            vpc=self.vpc,
            log_group_name=log_group_name,
            encryption_key=encryption_key(
                self, "Key", environment=environment, log_group=log_group_name, removal=environment.removal.log_group
            ),
            log_retention=RETENTION_DAYS[environment.removal.log_retention_days],
            log_removal_policy=REMOVAL[environment.removal.log_group],
        )


def _own_vpc(scope: Construct, settings: OwnVpc, zones: Sequence[str]) -> tuple[ec2.IVpc, list[str]]:
    isolated = IsolatedVpc(scope, "Vpc", availability_zones=zones, cidr=settings.cidr)
    return isolated.vpc, isolated.route_table_ids


def _existing_vpc(scope: Construct, settings: ExistingVpc) -> tuple[ec2.IVpc, list[str]]:
    vpc = ec2.Vpc.from_vpc_attributes(
        scope,
        "Vpc",
        vpc_id=settings.vpc_id,
        vpc_cidr_block=settings.cidr,
        availability_zones=settings.availability_zones,
        isolated_subnet_ids=settings.subnet_ids,
    )
    acknowledge(
        vpc,
        "@aws-cdk/aws-ec2:noSubnetRouteTableId",
        "the route tables that get the endpoint for S3 are given apart; nothing asks the subnets for theirs",
    )
    return vpc, settings.route_table_ids
