"""The network of one environment: where the model's interfaces are and how callers get to the runtime."""

from collections.abc import Sequence

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from mistral7b.environment import Environment, ExistingVpc, OwnVpc
from mistral7b_stacks.encryption import encryption_key
from mistral7b_stacks.retention import REMOVAL, RETENTION_DAYS
from sagemaker_tgi import (
    IsolatedVpc,
    ModelSecurityGroup,
    RuntimeInterfaceEndpoint,
    VpcFlowLog,
    acknowledge,
)


class Network(Construct):
    """An isolated VPC of the environment's own, or endpoints in an existing one."""

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        """Defines the network."""
        super().__init__(scope, construct_id)
        existing = environment.network.existing_vpc
        self.shared = existing is not None
        """Whether others use the VPC, too."""
        self.vpc, self.subnets, self.route_table_ids = (
            _existing_vpc(self, existing)
            if existing is not None
            else _own_vpc(self, environment.own_vpc or OwnVpc(), environment.availability_zones)
        )
        """The model's VPC and subnets, and the route tables that its way to S3 belongs on; none where an existing VPC
        has one."""
        self.group = ModelSecurityGroup(
            self, "Model", vpc=self.vpc, s3_prefix_list_id=environment.network.s3_prefix_list_id
        )
        """Security group of the model."""
        if environment.network.runtime_endpoint:
            RuntimeInterfaceEndpoint(self, "Runtime", vpc=self.vpc, subnets=self.subnets, shared=self.shared)
        if not self.shared:
            self._record_connections(environment)

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


def _own_vpc(scope: Construct, settings: OwnVpc, zones: Sequence[str]) -> tuple[ec2.IVpc, list[ec2.ISubnet], list[str]]:
    isolated = IsolatedVpc(scope, "Vpc", availability_zones=zones, cidr=settings.cidr)
    return isolated.vpc, isolated.subnets, isolated.route_table_ids


def _existing_vpc(scope: Construct, settings: ExistingVpc) -> tuple[ec2.IVpc, list[ec2.ISubnet], list[str]]:
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
    return vpc, vpc.isolated_subnets, settings.route_table_ids
