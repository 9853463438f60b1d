"""The network: zones, subnets and the route to Amazon S3."""

import ipaddress

from mistral7b import catalog
from mistral7b.environment.rules.registry import Findings, rule, version_is_known
from mistral7b.environment.schema import Environment
from mistral7b.yamlfile import Finding

# Smallest subnet of a VPC, and the addresses of a subnet that AWS keeps (Amazon VPC user guide, subnet sizing).
SMALLEST_SUBNET, KEPT_ADDRESSES = 28, 5
# The VPC is cut into 2^3 subnets, or into the smallest ones (`sagemaker_tgi.IsolatedVpc`).
SUBNET_BITS = 3
# Private addresses of an instance (SageMaker developer guide, "Ensure That Subnets Have Enough IP Addresses"), and how
# many fleets there are during an update: the old instances serve until the new ones do.
ADDRESSES_PER_INSTANCE, FLEETS = 2, 2


@rule("network")
def _one_vpc(env: Environment) -> Findings:
    """An existing VPC by ids of 8 or 17 digits, each once, with a zone for each subnet; an own one or an existing one.
    Source: EC2 user guide, resource IDs.
    """
    if env.network.vpc is not None and env.network.existing_vpc is not None:
        fix = "remove one of them (`vpc: null` cancels what common.yaml sets)"
        yield Finding("network.vpc", "both network.vpc and network.existing_vpc are set", fix)


@rule("network", "region")
def _zones_are_of_the_region(env: Environment) -> Findings:
    """Subnets in two zones at least, of the region, each zone once, all by id or all by name; names are of other zones
    in other accounts. Source: SageMaker developer guide, VPC.

    Zones are given, as a look-up would need credentials at synth. Source: CDK.
    """
    field = f"network.{'existing_vpc' if env.network.existing_vpc else 'vpc'}.availability_zones"
    known = catalog.availability_zones(env.region)
    if env.own_vpc is not None and isinstance(env.own_vpc.availability_zones, int):
        if env.region in catalog.regions() and env.own_vpc.availability_zones > len(known):
            have = f"has {len(known)} known zones" if known else "has zones that differ between accounts"
            fix = f"list two or more; `aws ec2 describe-availability-zones --region {env.region}` shows their ids"
            yield Finding(field, f"{env.region} {have}", fix, env.own_vpc.availability_zones)
        return
    zones = env.availability_zones
    numbers = {zone: catalog.zone_number(env.region, zone) for zone in zones}
    for zone in (zone for zone, number in numbers.items() if number is None):
        fix = f"use {', '.join(known)}" if known else f"use ids such as use1-az1, or names such as {env.region}a"
        yield Finding(field, f"{zone} is not a zone of {env.region}", fix)
    if len({zone[-1].isdigit() for zone, number in numbers.items() if number}) > 1:
        yield Finding(field, "an id and a name can be one zone", "use only ids, or only names")
    if len(numbers) < 2 or (env.own_vpc is not None and len(numbers) < len(zones)):
        reason = "it takes two zones at least, each named once, to survive the loss of one"
        yield Finding(field, reason, "name different zones")


@rule("network.s3_prefix_list_id", "region")
def _s3_prefix_list_is_known(env: Environment) -> Findings:
    """The prefix list is known, and is not that of another region. Source: EC2 API, DescribePrefixLists."""
    known = env.network.s3_prefix_list_id or catalog.s3_prefix_list_id(env.region)
    if env.region in catalog.regions() and known is None:
        yield Finding(
            "network.s3_prefix_list_id",
            f"the model may reach only S3, and the catalogue lacks the id of its prefix list in {env.region}",
            "set it to the PrefixListId that this prints: aws ec2 describe-prefix-lists "
            f"--region {env.region} --filters Name=prefix-list-name,Values=com.amazonaws.{env.region}.s3",
        )


@rule("network.s3_prefix_list_id", "region")
def _s3_prefix_list_is_of_the_region(env: Environment) -> Findings:
    """The prefix list is known, and is not that of another region. Source: EC2 API, DescribePrefixLists."""
    given, own = env.network.s3_prefix_list_id, catalog.s3_prefix_list_id(env.region)
    elsewhere = [region for region in catalog.regions() if given and catalog.s3_prefix_list_id(region) == given]
    if elsewhere and own not in (None, given):
        reason = f"it is S3's prefix list in {' and '.join(elsewhere)}, and not in {env.region}"
        yield Finding("network.s3_prefix_list_id", reason, f"leave it out: the default is {own}")


@rule("network.vpc", "region", "instance.type", "model", "model_version")
def _subnets_fit(env: Environment) -> Findings:
    """A VPC from /16 to /28, with room for its subnets of /28 or larger; each zone has its own range, whatever other
    zones are used. Source: Amazon VPC user guide, sizing.
    """
    if env.own_vpc is None or not version_is_known(env):
        return
    prefix = ipaddress.IPv4Network(env.own_vpc.cidr).prefixlen
    ranges = 1 << min(SUBNET_BITS, SMALLEST_SUBNET - prefix)
    numbers = {number for zone in env.availability_zones if (number := catalog.zone_number(env.region, zone))}
    if len({number % ranges for number in numbers}) < len(numbers):
        yield Finding(
            "network.vpc.cidr",
            f"it has room for {ranges} subnets of /{SMALLEST_SUBNET}, the smallest there is, and each zone has its "
            f"own place among them: {', '.join(env.availability_zones)} do not all fit",
            f"use a /{SMALLEST_SUBNET - SUBNET_BITS} or larger",
        )


@rule("network", "region", "instance", "auto_scaling", "model", "model_version")
def _addresses_suffice(env: Environment) -> Findings:
    """Two addresses for each instance, twice during an update; AWS keeps five of each subnet. Source: SageMaker
    developer guide, "Ensure That Subnets Have Enough IP Addresses".
    """
    zones = len(env.availability_zones) if version_is_known(env) else 0
    if env.own_vpc is None or not zones:
        return
    instances = max(env.instance.count, env.auto_scaling.max_instances if env.auto_scaling else 0)
    needed = instances * ADDRESSES_PER_INSTANCE * FLEETS
    network = ipaddress.IPv4Network(env.own_vpc.cidr)
    free = zones * free_addresses(network, runtime_endpoint=env.network.runtime_endpoint)
    if network.prefixlen <= SMALLEST_SUBNET and needed > free:
        yield Finding(
            "network.vpc.cidr",
            f"its {zones} subnets have {free} free addresses, and {instances} instances take {needed}: "
            f"{ADDRESSES_PER_INSTANCE} each, and as many again during an update",
            "use a larger range, such as 10.0.0.0/16, more zones or fewer instances",
        )


def free_addresses(vpc: ipaddress.IPv4Network, *, runtime_endpoint: bool) -> int:
    """Addresses that one subnet of an own VPC has for instances."""
    prefix = min(vpc.prefixlen + SUBNET_BITS, SMALLEST_SUBNET)
    return (1 << (32 - prefix)) - KEPT_ADDRESSES - int(runtime_endpoint)


@rule("network.existing_vpc")
def _each_subnet_has_its_zone(env: Environment) -> Findings:
    """An existing VPC by ids of 8 or 17 digits, each once, with a zone for each subnet; an own one or an existing one.
    Source: EC2 user guide, resource IDs.
    """
    vpc = env.network.existing_vpc
    if vpc is None:
        return
    if len(vpc.availability_zones) != len(vpc.subnet_ids):
        reason = f"there are {len(vpc.subnet_ids)} subnet_ids and {len(vpc.availability_zones)} zones"
        fix = "give the zone of each subnet, in the same order"
        yield Finding("network.existing_vpc.availability_zones", reason, fix)
    for name, ids in (("subnet_ids", vpc.subnet_ids), ("route_table_ids", vpc.route_table_ids)):
        if len(set(ids)) < len(ids):
            yield Finding(f"network.existing_vpc.{name}", "it has an id twice", "name each once")
