"""A VPC without a route to the internet."""

import ipaddress
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from sagemaker_tgi.compliance import acknowledge, acknowledge_lint, acknowledge_rule
from sagemaker_tgi.props import PropsCheck

# Largest VPC and smallest subnet (Amazon VPC user guide, VPC and subnet sizing).
_LARGEST_VPC, _SMALLEST_SUBNET = 16, 28
# Ranges that no VPC may have (Amazon VPC user guide, IPv4 CIDR block restrictions), and the network of the Docker on
# SageMaker's instances, with which one conflicts (Amazon VPC user guide, VPC CIDR blocks).
_RESERVED = [ipaddress.IPv4Network(r) for r in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4")]
_DOCKER = ipaddress.IPv4Network("172.17.0.0/16")
_DEFAULT_CIDR = "10.0.0.0/16"
# The VPC is cut into 2^3 equal ranges, and each zone has its own, whatever other zones are used: a zone that is added,
# exchanged or removed moves no subnet, whose range a new one cannot have before the old one has gone. A VPC that is
# too small for that is cut into the smallest subnets.
_SUBNET_BITS = 3
_ZONE = r"[a-z0-9-]+(-az[1-8]|[0-9][a-h])"


class IsolatedVpc(Construct):
    """A VPC of isolated subnets, one a zone: no internet gateway, no NAT, no route but the local one.

    `ec2.Vpc` is not used: with a concrete account and region it looks the account's zones up at synth, which needs
    credentials, even if zones are given; and it moves every subnet when a zone is added.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, availability_zones: Sequence[str], cidr: str = _DEFAULT_CIDR
    ) -> None:
        """Defines the VPC.

        Args:
            availability_zones: Ids of the zones, such as `use1-az1`, which every account has, or names, whose zones
                differ between accounts; two to eight, one subnet in each. To go from the one to the other, give
                another `cidr` too: a zone's new subnet would get the range of the old one.
            cidr: IPv4 range of the VPC, /16 to /27. Each subnet gets an eighth of it, but at least a /28.
        """
        with PropsCheck(scope, construct_id) as check:
            ranges = _subnet_ranges(check, cidr)
            _check_zones(check, availability_zones, ranges=len(ranges))
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
            _subnet(self, zone, str(ranges[_number(zone) % len(ranges)]), resource.ref) for zone in availability_zones
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
        if any(zone[-1].isalpha() for zone in availability_zones):
            reason = "the user names zones on purpose: not every one offers GPU instances"
            acknowledge(self, reason, "CloudFormation-Validate::W3010")
            for subnet in self.subnets:
                acknowledge_lint(_resource(subnet), "W3010", reason)


def _subnet(scope: Construct, zone: str, cidr: str, vpc_id: str) -> ec2.PrivateSubnet:
    subnet = ec2.PrivateSubnet(
        scope,
        f"Subnet-{zone}",
        availability_zone=zone,
        cidr_block=cidr,
        vpc_id=vpc_id,
        map_public_ip_on_launch=False,
    )
    if zone[-1].isdigit():  # the CDK's subnets take names only
        _resource(subnet).availability_zone, _resource(subnet).availability_zone_id = None, zone
    return subnet


def _resource(subnet: ec2.ISubnet) -> ec2.CfnSubnet:
    resource = subnet.node.default_child
    assert isinstance(resource, ec2.CfnSubnet)
    return resource


def _number(zone: str) -> int:
    """Which of the VPC's ranges is the zone's: 0 for `us-east-1a` and for `use1-az1`."""
    return int(zone[-1]) - 1 if zone[-1].isdigit() else ord(zone[-1]) - ord("a")


def _subnet_ranges(check: PropsCheck, cidr: str) -> list[ipaddress.IPv4Network]:
    """The ranges of the zones; those of the default range if `cidr` makes no VPC."""
    try:
        network = ipaddress.IPv4Network(cidr)
        if str(network) != cidr:  # Python reads 10.0.0.0/255.255.0.0, too
            raise ValueError("is not in CIDR notation")
        if not _LARGEST_VPC <= network.prefixlen < _SMALLEST_SUBNET:
            raise ValueError(f"is no VPC that two subnets fit into, from /{_LARGEST_VPC} to /{_SMALLEST_SUBNET - 1}")
        if any(network.overlaps(reserved) for reserved in _RESERVED):
            raise ValueError("AWS makes no VPC of this range")
        if network.overlaps(_DOCKER):
            raise ValueError(f"is in conflict with {_DOCKER}, which SageMaker's instances use themselves")
    except ValueError as error:
        check.reject("cidr", cidr, str(error), f"write a private IPv4 range such as {_DEFAULT_CIDR}")
        network = ipaddress.IPv4Network(_DEFAULT_CIDR)
    return list(network.subnets(prefixlen_diff=min(_SUBNET_BITS, _SMALLEST_SUBNET - network.prefixlen)))


def _check_zones(check: PropsCheck, zones: Sequence[str], *, ranges: int) -> None:
    shown = list(zones)
    for zone in zones:
        if not check.matches("availability_zones", zone, _ZONE, "write it like use1-az1 or us-east-1a"):
            return
    if len(set(zones)) != len(zones):
        check.reject("availability_zones", shown, "names a zone twice", "give each zone once")
    elif len({_number(zone) % ranges for zone in zones}) < len(zones):
        fix = f"give only ids or only names, and a /{_SMALLEST_SUBNET - _SUBNET_BITS} or larger"
        check.reject("availability_zones", shown, "share a range of the VPC", fix)
    if len(zones) < 2:
        check.reject("availability_zones", shown, "are too few", f"give from 2 to {ranges} zones")
