"""The network of one environment: where the model's interfaces are and how callers get to the runtime."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct, IDependable

from mistral7b.environment import Environment, ExistingVpc, OwnVpc
from sagemaker_tgi import (
    ArtifactGatewayEndpoint,
    IsolatedVpc,
    ModelArtifact,
    ModelSecurityGroup,
    RuntimeInterfaceEndpoint,
    VpcFlowLog,
    acknowledge,
)
from stacks.base import EnvironmentStack
from stacks.names import flow_log_group_name
from stacks.retention import RETENTION_DAYS
from stacks.storage import StorageStack, encryption_key


class NetworkStack(EnvironmentStack):
    """An isolated VPC of the environment's own, or endpoints in an existing one.

    The endpoint stack imports subnets and security group, and CloudFormation refuses to change or remove what is
    imported (`defaultCrossStackReferences: strong` in cdk.json). That is wanted: with the CDK's weak references a
    VPC could be replaced under a running model, whose new instances then find no way to their weights. To change
    CIDR, zones or VPC, destroy the endpoint stack first; it holds no data.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, environment: Environment, storage: StorageStack | None
    ) -> None:
        """Defines the stack."""
        super().__init__(scope, construct_id, environment=environment, description="network")
        existing = environment.network.existing_vpc
        vpc, route_table_ids = (
            _existing_vpc(self, existing)
            if existing is not None
            else _own_vpc(self, environment.own_vpc or OwnVpc(), environment.availability_zones)
        )
        self.vpc = vpc
        """The model's VPC."""
        self.subnets: list[ec2.ISubnet] = vpc.isolated_subnets
        """Subnets of the model."""
        self.security_group = ModelSecurityGroup(
            self, "Model", vpc=vpc, s3_prefix_list_id=environment.network.s3_prefix_list_id
        ).security_group
        """Security group of the model."""
        self.artifact_route: IDependable | None = None
        """What has to exist before the model's weights can be copied; None where the existing VPC sees to it."""
        if route_table_ids:
            self.artifact_route = ArtifactGatewayEndpoint(
                self,
                "Artifacts",
                vpc=vpc,
                route_table_ids=route_table_ids,
                artifact_bucket_name=ModelArtifact.from_uri(environment.artifact_uri).bucket_name,
                data_capture=storage.data_capture if storage else None,
            )
        if environment.network.runtime_endpoint:
            RuntimeInterfaceEndpoint(
                self,
                "Runtime",
                vpc=vpc,
                subnets=self.subnets,
                endpoint_name=environment.resolved_endpoint_name,
            )
        if existing is None:
            VpcFlowLog(
                self,
                "FlowLog",
                vpc=vpc,
                log_group_name=flow_log_group_name(environment),
                encryption_key=encryption_key(self, environment, storage),
                log_retention=RETENTION_DAYS[environment.removal.log_retention_days],
                log_removal_policy=cdk.RemovalPolicy(environment.removal.log_group.upper()),
            )
        cdk.CfnOutput(self, "VpcId", value=vpc.vpc_id, description="VPC of the model and of private callers")


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
