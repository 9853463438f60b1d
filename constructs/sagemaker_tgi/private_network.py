"""The network of a private endpoint: where the model's interfaces are, and how callers reach the runtime."""

from collections.abc import Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from sagemaker_tgi.artifact_gateway_endpoint import ArtifactGatewayEndpoint
from sagemaker_tgi.isolated_vpc import IsolatedVpc
from sagemaker_tgi.log_group import DEFAULT_LOG, LogOptions
from sagemaker_tgi.model_security_group import ModelSecurityGroup
from sagemaker_tgi.props import PropsCheck
from sagemaker_tgi.region_data import availability_zones as known_zones
from sagemaker_tgi.runtime_interface_endpoint import RuntimeInterfaceEndpoint
from sagemaker_tgi.vpc_flow_log import VpcFlowLog


class PrivateNetwork(Construct):
    """An isolated VPC of its own with flow logs, or the subnets of a VPC that is given.

    A given VPC is shared with others: the VPC endpoints that are added to it have no policy, which would cut the others
    off, and its flow logs are its owner's.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        vpc: ec2.IVpc | None = None,
        subnets: Sequence[ec2.ISubnet] = (),
        route_table_ids: Sequence[str] = (),
        availability_zones: Sequence[str] = (),
        cidr: str = "10.0.0.0/16",
        s3_prefix_list_id: str | None = None,
        runtime_endpoint: bool | None = None,
        instance_type: str = "ml.g5.2xlarge",
        description: str | None = None,
        flow_log_group_name: str | None = None,
        log: LogOptions = DEFAULT_LOG,
    ) -> None:
        """Defines the network.

        Args:
            vpc: A VPC to use. Default: one is made, of isolated subnets.
            subnets: Subnets of `vpc` for the model's interfaces. Default: its isolated ones, or else its private ones.
            route_table_ids: Their route tables that get a gateway endpoint for Amazon S3. Default: none, as they have a
                route to it.
            availability_zones: Zones of the new VPC, by id or name (`IsolatedVpc`). Default: two that offer
                `instance_type`, by this package's data.
            cidr: IPv4 range of the new VPC.
            s3_prefix_list_id: Id of the region's prefix list `com.amazonaws.<region>.s3`. Default: this package's data.
            runtime_endpoint: Whether callers inside the VPC get an interface endpoint for `sagemaker.runtime`, billed
                by the hour and zone. Default: in a new VPC. A VPC can have one such endpoint.
            instance_type: SageMaker instance type that the new VPC is for.
            description: What the network is for, in the key's description. Default: its path.
            flow_log_group_name: Log group of the new VPC's flow logs. Default: named after the path.
            log: How the flow logs are kept. Default key: a new one.
        """
        with PropsCheck(scope, construct_id) as check:
            super().__init__(scope, construct_id)
            self.is_shared = vpc is not None
            """Whether the VPC is one that was given."""
            if vpc is None:
                region = cdk.Stack.of(self).region
                zones = availability_zones or known_zones(region, instance_type)[:2]
                if not zones:
                    where = "a stack without a region" if cdk.Token.is_unresolved(region) else region
                    fix = 'give zones, or the stack a region: env=cdk.Environment(region="us-east-1")'
                    check.reject("availability_zones", [], f"the zones of {where} are not known", fix)
                    return
                isolated = IsolatedVpc(self, "Vpc", availability_zones=zones, cidr=cidr)
                vpc, subnets, route_table_ids = isolated.vpc, isolated.subnets, isolated.route_table_ids
            self.vpc: ec2.IVpc = vpc
            """The VPC."""
            self.subnets: Sequence[ec2.ISubnet] = subnets or vpc.isolated_subnets or vpc.private_subnets
            """The subnets of the model's interfaces."""
            if not self.subnets:
                check.reject("vpc", vpc.node.path, "has neither isolated nor private subnets", "give subnets")
            self.route_table_ids = route_table_ids
            """Route tables that get a gateway endpoint for Amazon S3; empty if a given VPC has its own route."""
            self.model_security_group = ModelSecurityGroup(self, "Model", vpc=vpc, s3_prefix_list_id=s3_prefix_list_id)
            """Security group of the model's interfaces."""
            self.artifact_gateway: ArtifactGatewayEndpoint | None = None
            """The gateway endpoint to the weights, which the `PrivateTgiEndpoint` of this network adds."""
            self.runtime_endpoint: ec2.InterfaceVpcEndpoint | None = None
            """The interface endpoint of callers; None if there is none."""
            if runtime_endpoint or (runtime_endpoint is None and not self.is_shared):
                self.runtime_endpoint = RuntimeInterfaceEndpoint(
                    self, "Runtime", vpc=vpc, subnets=self.subnets, shared=self.is_shared
                )
            self.flow_log: VpcFlowLog | None = None
            """The flow logs of a new VPC; None if the VPC was given."""
            if self.is_shared:
                return
            name = flow_log_group_name or f"/vpc-flow-logs/{cdk.Names.unique_resource_name(self, separator='-')}"
            log = replace(log, encryption_key=log.key_for(self, name, description=description))
            self.flow_log = VpcFlowLog(self, "FlowLog", vpc=vpc, log_group_name=name, log=log)
