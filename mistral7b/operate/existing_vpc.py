"""Checks that an existing VPC matches the environment's file and accepts what the deployment adds."""

from collections.abc import Iterator
from typing import Any

from mistral7b.environment import Environment, ExistingVpc
from mistral7b.environment.rules import ADDRESSES_PER_INSTANCE, FLEETS
from mistral7b.operate.checks import Finding, Outcome
from mistral7b.promotion.names import environment_stacks

_Finding = tuple[str, Any, str, str]
"""Field, value, reason and fix."""
_GONE = ("deleting", "deleted", "rejected", "failed", "expired")


def vpc_findings(ec2: Any, env: Environment, vpc: ExistingVpc) -> Iterator[Finding]:
    """What fails the deployment, or keeps the model from Amazon S3. Raises ClientError."""
    for field, value, reason, fix in _findings(ec2, env, vpc):
        yield Finding("failure", reason, fix, f"network.{field}", value)
    found = ec2.describe_subnets(Filters=[{"Name": "subnet-id", "Values": vpc.subnet_ids}])["Subnets"]
    free, per_fleet = sum(one["AvailableIpAddressCount"] for one in found), env.instance.count * ADDRESSES_PER_INSTANCE
    most = max(env.instance.count, env.instance_bounds[1]) * ADDRESSES_PER_INSTANCE * FLEETS
    if free < most and len(found) == len(vpc.subnet_ids):
        reason = f"{free} addresses are free; the deployment takes {per_fleet}, and an update of all instances {most}"
        outcome: Outcome = "failure" if free < per_fleet else "warning"
        fix, subnets = "name larger subnets, or run fewer instances", ", ".join(vpc.subnet_ids)
        yield Finding(outcome, reason, fix, "network.existing_vpc.subnet_ids", subnets)


def _findings(ec2: Any, env: Environment, vpc: ExistingVpc) -> Iterator[_Finding]:
    own = [{"Name": "vpc-id", "Values": [vpc.vpc_id]}]
    if not (vpcs := ec2.describe_vpcs(Filters=own)["Vpcs"]):
        yield "existing_vpc.vpc_id", vpc.vpc_id, f"there is no such VPC in {env.region}", "give the id of one"
        return
    ranges = [one["CidrBlock"] for one in vpcs[0]["CidrBlockAssociationSet"]]
    if vpc.cidr not in ranges:
        yield "existing_vpc.cidr", vpc.cidr, f"{vpc.vpc_id} has {' and '.join(ranges)}", f"set it to {ranges[0]}"
    subnets = {one["SubnetId"]: one for one in ec2.describe_subnets(Filters=own)["Subnets"]}
    tables = {one["RouteTableId"]: one for one in ec2.describe_route_tables(Filters=own)["RouteTables"]}
    asked = [("subnet_ids", one, subnets) for one in vpc.subnet_ids]
    for field, one, known in (*asked, *(("route_table_ids", one, tables) for one in vpc.route_table_ids)):
        if one not in known:
            yield f"existing_vpc.{field}", one, f"{vpc.vpc_id} has none of this id", f"use {', '.join(known)}"
    for subnet, zone in zip(vpc.subnet_ids, vpc.availability_zones, strict=True):
        zone_id, name = (subnets.get(subnet, {}).get(key, zone) for key in ("AvailabilityZoneId", "AvailabilityZone"))
        if zone not in (zone_id, name):
            reason = f"{subnet} is in {zone_id}, which this account calls {name}"
            yield "existing_vpc.availability_zones", zone, reason, f"write {zone_id} or {name} for {subnet}"
    endpoints = [one for one in ec2.describe_vpc_endpoints(Filters=own)["VpcEndpoints"] if one["State"] not in _GONE]
    stacks = [{"Key": "aws:cloudformation:stack-name", "Value": name} for name in environment_stacks(env.name)]
    others = [one for one in endpoints if not any(tag in stacks for tag in one.get("Tags", []))]
    if env.network.runtime_endpoint:
        yield from _runtime(ec2, vpc.vpc_id, others)
    s3 = [one for one in endpoints if one["VpcEndpointType"] == "Gateway" and one["ServiceName"].endswith(".s3")]
    for gateway, table in ((one, table) for one in s3 if one in others for table in one["RouteTableIds"]):
        if table in vpc.route_table_ids:
            reason = f"it has a route to S3 by {gateway['VpcEndpointId']}, and can have only one"
            fix = f"take it out: the model uses that one, whose policy has to allow reading {env.artifact_uri}"
            yield "existing_vpc.route_table_ids", table, reason, fix
    led = {*vpc.route_table_ids, *(table for one in s3 for table in one["RouteTableIds"])}
    for subnet in vpc.subnet_ids:
        table = _route_table(tables, subnet)
        internet = [one for one in table["Routes"] if one.get("DestinationCidrBlock") == "0.0.0.0/0"]
        leads_out = any(one.get("State") != "blackhole" for one in internet)  # to S3, too
        if subnet in subnets and table["RouteTableId"] not in led and not leads_out:
            reason = f"route table {table['RouteTableId']} of {subnet} has no route to Amazon S3"
            yield "existing_vpc.route_table_ids", vpc.route_table_ids, reason, f"add {table['RouteTableId']}"


def _runtime(ec2: Any, vpc_id: str, others: list[Any]) -> Iterator[_Finding]:
    for attribute in ("enableDnsSupport", "enableDnsHostnames"):
        answer = ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=attribute)
        if not answer[attribute[0].upper() + attribute[1:]]["Value"]:
            fix = f"turn {attribute} on (`aws ec2 modify-vpc-attribute`), or set it to false"
            yield "runtime_endpoint", True, f"{attribute} of {vpc_id} is off, and private DNS takes it", fix
    for one in others:
        if one["ServiceName"].endswith(".sagemaker.runtime") and one["PrivateDnsEnabled"]:
            reason = f"{one['VpcEndpointId']} has the runtime's private DNS name in {vpc_id}, which can have only one"
            fix = "set it to false: callers use that one, whose policy and security groups have to let them in"
            yield "runtime_endpoint", True, reason, fix


def _route_table(tables: dict[str, Any], subnet: str) -> Any:
    """A subnet's own, or else the VPC's main one."""
    associated = [(one, table) for table in tables.values() for one in table["Associations"]]
    main = next(table for one, table in associated if one["Main"])
    return next((table for one, table in associated if one.get("SubnetId") == subnet), main)
