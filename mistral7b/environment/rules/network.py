"""The network: zones, subnets and the way to Amazon S3."""

import ipaddress
from collections.abc import Iterator

from mistral7b import catalog
from mistral7b.environment.problem import FieldPath
from mistral7b.environment.rules.known import version_is_known
from mistral7b.environment.rules.registry import Finding, rule
from mistral7b.environment.schema import Environment

# Smallest subnet of a VPC, and the addresses of a subnet that AWS keeps (Amazon VPC user guide, subnet sizing).
SMALLEST_SUBNET, KEPT_ADDRESSES = 28, 5
# The VPC is cut into 2^3 subnets, or into the smallest ones (`sagemaker_tgi.IsolatedVpc`).
SUBNET_BITS = 3
# Private addresses of an instance (SageMaker developer guide, "Ensure That Subnets Have Enough IP Addresses"), and how
# many fleets there are during an update: the old instances serve until the new ones do.
ADDRESSES_PER_INSTANCE, FLEETS = 2, 2


@rule("network")
def _one_vpc(env: Environment) -> Iterator[Finding]:
    if env.network.vpc is not None and env.network.existing_vpc is not None:
        yield Finding(
            ("network", "vpc"),
            None,
            "both network.vpc and network.existing_vpc are set",
            "remove one of them (`vpc: null` takes back what common.yaml sets)",
        )


@rule("network", "region")
def _zones_are_of_the_region(env: Environment) -> Iterator[Finding]:
    section = "existing_vpc" if env.network.existing_vpc else "vpc"
    field: FieldPath = ("network", section, "availability_zones")
    if env.own_vpc is not None and isinstance(env.own_vpc.availability_zones, int):
        wanted, known = env.own_vpc.availability_zones, catalog.availability_zones(env.region)
        if env.region in catalog.regions() and wanted > len(known):
            have = f"has {len(known)} known zones" if known else "has zones that differ between accounts"
            yield Finding(
                field,
                wanted,
                f"{env.region} {have}",
                f"list two or more; `aws ec2 describe-availability-zones --region {env.region}` shows their ids",
            )
        return
    zones = env.availability_zones
    for zone in dict.fromkeys(zones):
        if catalog.zone_number(env.region, zone) is None:
            known = catalog.availability_zones(env.region)
            fix = f"use {', '.join(known)}" if known else f"use ids such as use1-az1, or names such as {env.region}a"
            yield Finding(field, list(zones), f"{zone} is no zone of {env.region}", fix)
    if len({zone[-1].isdigit() for zone in zones if catalog.zone_number(env.region, zone)}) > 1:
        yield Finding(field, list(zones), "an id and a name can be one zone", "use ids alone, or names alone")
    if len(set(zones)) < 2 or (env.own_vpc is not None and len(set(zones)) < len(zones)):
        yield Finding(
            field,
            list(zones),
            "it takes two zones at least, each named once, to survive the loss of one",
            "name different zones",
        )


@rule("network.s3_prefix_list_id", "region")
def _s3_prefix_list_is_known(env: Environment) -> Iterator[Finding]:
    known = env.network.s3_prefix_list_id or catalog.s3_prefix_list_id(env.region)
    if env.region in catalog.regions() and known is None:
        yield Finding(
            ("network", "s3_prefix_list_id"),
            None,
            f"the id of S3's prefix list in {env.region} is not in the catalogue, and the model may reach S3 alone",
            "set it to the PrefixListId that this prints: aws ec2 describe-prefix-lists "
            f"--region {env.region} --filters Name=prefix-list-name,Values=com.amazonaws.{env.region}.s3",
        )


@rule("network.s3_prefix_list_id", "region")
def _s3_prefix_list_is_of_the_region(env: Environment) -> Iterator[Finding]:
    given, own = env.network.s3_prefix_list_id, catalog.s3_prefix_list_id(env.region)
    if given is None or own is None or given == own:
        return
    elsewhere = [region for region in catalog.regions() if catalog.s3_prefix_list_id(region) == given]
    if elsewhere:
        yield Finding(
            ("network", "s3_prefix_list_id"),
            given,
            f"it is S3's prefix list in {' and '.join(elsewhere)}, and not in {env.region}",
            f"leave it out: {own} is taken",
        )


@rule("network.vpc", "region", "instance.type", "model", "model_version")
def _subnets_fit(env: Environment) -> Iterator[Finding]:
    if env.own_vpc is None or not version_is_known(env):
        return
    prefix = ipaddress.IPv4Network(env.own_vpc.cidr).prefixlen
    ranges = 1 << min(SUBNET_BITS, SMALLEST_SUBNET - prefix)
    numbers = {number for zone in env.availability_zones if (number := catalog.zone_number(env.region, zone))}
    if len({number % ranges for number in numbers}) < len(numbers):
        yield Finding(
            ("network", "vpc", "cidr"),
            env.own_vpc.cidr,
            f"it has room for {ranges} subnets of /{SMALLEST_SUBNET}, the smallest there is, and each zone has its "
            f"own place among them: {', '.join(env.availability_zones)} do not all fit",
            f"use a /{SMALLEST_SUBNET - SUBNET_BITS} or larger",
        )


@rule("network", "region", "instance", "auto_scaling", "model", "model_version")
def _addresses_suffice(env: Environment) -> Iterator[Finding]:
    if env.own_vpc is None or not version_is_known(env) or not env.availability_zones:
        return
    scaling = env.auto_scaling
    instances = max(env.instance.count, scaling.max_instances if scaling else 0)
    needed = instances * ADDRESSES_PER_INSTANCE * FLEETS
    network = ipaddress.IPv4Network(env.own_vpc.cidr)
    free = len(env.availability_zones) * free_addresses(network, runtime_endpoint=env.network.runtime_endpoint)
    if network.prefixlen <= SMALLEST_SUBNET and needed > free:
        yield Finding(
            ("network", "vpc", "cidr"),
            env.own_vpc.cidr,
            f"its {len(env.availability_zones)} subnets have {free} free addresses, and {instances} instances take "
            f"{needed}: {ADDRESSES_PER_INSTANCE} each, and as many again during an update",
            "use a larger range, such as 10.0.0.0/16, more zones or fewer instances",
        )


def free_addresses(vpc: ipaddress.IPv4Network, *, runtime_endpoint: bool) -> int:
    """Addresses that one subnet of an own VPC has for instances."""
    prefix = min(vpc.prefixlen + SUBNET_BITS, SMALLEST_SUBNET)
    return (1 << (32 - prefix)) - KEPT_ADDRESSES - int(runtime_endpoint)


@rule("network.existing_vpc")
def _each_subnet_has_its_zone(env: Environment) -> Iterator[Finding]:
    vpc = env.network.existing_vpc
    if vpc is None:
        return
    if len(vpc.availability_zones) != len(vpc.subnet_ids):
        yield Finding(
            ("network", "existing_vpc", "availability_zones"),
            vpc.availability_zones,
            f"there are {len(vpc.subnet_ids)} subnet_ids and {len(vpc.availability_zones)} zones",
            "give the zone of each subnet, in the same order",
        )
    for name in ("subnet_ids", "route_table_ids"):
        ids: list[str] = getattr(vpc, name)
        if len(set(ids)) < len(ids):
            yield Finding(("network", "existing_vpc", name), ids, "an id stands in it twice", "name each once")
