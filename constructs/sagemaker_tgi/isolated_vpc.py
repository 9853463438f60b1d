"""A VPC without a way to the internet."""

import ipaddress
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct
from pydantic_core import PydanticCustomError

from mistral7b.environment import limits
from sagemaker_tgi.compliance import acknowledge, acknowledge_lint, acknowledge_rule
from sagemaker_tgi.props import PropsCheck

# Largest VPC and smallest subnet (Amazon VPC user guide, VPC and subnet sizing).
_LARGEST_VPC, _SMALLEST_SUBNET = 16, 28
# The VPC is cut into 2^3 equal ranges, whatever the number of zones: a zone added later moves no subnet. A VPC that
# is too small for that is cut into the smallest subnets.
_SUBNET_BITS = 3


class IsolatedVpc(Construct):
    """A VPC of isolated subnets, one a zone: no internet gateway, no NAT, no route but the local one.

    `ec2.Vpc` is not used: with a concrete account and region it asks for the account's zones, even if they are
    given, by a look-up that needs credentials at synth; and it moves every subnet when a zone is added.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, availability_zones: Sequence[str], cidr: str = "10.0.0.0/16"
    ) -> None:
        """Defines the VPC.

        Args:
            scope: Parent construct.
            construct_id: Id within `scope`.
            availability_zones: Names of the zones, two to eight; one subnet in each.
            cidr: IPv4 range of the VPC, /16 to /27. Each subnet gets an eighth of it, but at least a /28.

        Raises:
            InvalidPropsError: with every problem of the props.
        """
        check = PropsCheck(scope, construct_id)
        ranges = _subnet_ranges(check, cidr)
        _check_zones(check, availability_zones, at_most=len(ranges) or 2**_SUBNET_BITS)
        check.raise_problems()
        super().__init__(scope, construct_id)

        resource = ec2.CfnVPC(
            self,
            "Resource",
            cidr_block=cidr,
            enable_dns_hostnames=True,  # private DNS of interface endpoints needs both
            enable_dns_support=True,
        )
        cdk.Tags.of(self).add("Name", self.node.path)
        self.subnets: list[ec2.ISubnet] = [
            ec2.PrivateSubnet(
                self,
                f"Subnet{number}",
                availability_zone=zone,
                cidr_block=str(subnet_range),
                vpc_id=resource.ref,
                map_public_ip_on_launch=False,
            )
            for number, (zone, subnet_range) in enumerate(zip(availability_zones, ranges, strict=False), 1)
        ]
        """One subnet a zone, in the order of the zones."""
        self.route_table_ids = [subnet.route_table.route_table_id for subnet in self.subnets]
        """Route table of each subnet."""
        self.vpc: ec2.IVpc = ec2.Vpc.from_vpc_attributes(
            self,
            "Vpc",
            vpc_id=resource.ref,
            vpc_cidr_block=cidr,
            availability_zones=list(availability_zones),
            isolated_subnet_ids=[subnet.subnet_id for subnet in self.subnets],
            isolated_subnet_route_table_ids=self.route_table_ids,
        )
        """The VPC, for constructs that ask for one."""
        acknowledge_rule(
            resource,
            "VPCDefaultSecurityGroupClosed",
            "no interface is in the default group; CloudFormation cannot close it without a function of one's own, "
            "which would need more rights than the group gives",
        )
        named = (
            "zones are named on purpose: not every one offers GPU instances, and Fn::GetAZs differs between accounts"
        )
        acknowledge(self, "CloudFormation-Validate::W3010", named)
        for subnet in self.subnets:
            range_of_zone = subnet.node.default_child
            assert isinstance(range_of_zone, ec2.CfnSubnet)
            acknowledge_lint(range_of_zone, "W3010", named)


def _subnet_ranges(check: PropsCheck, cidr: str) -> list[ipaddress.IPv4Network]:
    try:
        network = ipaddress.IPv4Network(cidr)
    except ValueError as error:
        check.reject("cidr", cidr, str(error), "write an IPv4 range such as 10.0.0.0/16")
        return []
    if not _LARGEST_VPC <= network.prefixlen < _SMALLEST_SUBNET:
        fix = f"use a range from /{_LARGEST_VPC} to /{_SMALLEST_SUBNET - 1}"
        check.reject("cidr", cidr, "is no VPC that two subnets fit into", fix)
        return []
    try:
        limits.own_vpc_cidr(cidr)
    except PydanticCustomError as error:
        context = error.context or {}
        check.reject("cidr", cidr, context["reason"], context["fix"])
    return list(network.subnets(prefixlen_diff=min(_SUBNET_BITS, _SMALLEST_SUBNET - network.prefixlen)))


def _check_zones(check: PropsCheck, zones: Sequence[str], *, at_most: int) -> None:
    shown = list(zones)
    if len(set(zones)) != len(zones):
        check.reject("availability_zones", shown, "names a zone twice", "give each zone once")
    if not 2 <= len(zones) <= at_most:
        check.reject("availability_zones", shown, "are too few or too many", f"give from 2 to {at_most} zones")
