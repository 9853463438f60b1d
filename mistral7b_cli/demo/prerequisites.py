"""What environment files require: callers' roles, an existing VPC, a key, a permissions boundary, OIDC providers.

The embedded AWS begins with empty accounts, so these are made there first, with the very ids and names of the files.
What is there already stays as it is.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

from mistral7b.environment import Environment, ExistingVpc
from mistral7b.project import bootstrap, cdk_context

Clients = Callable[[str, str, str], Any]
"""Gives a boto3 client for a service, an account and a region."""

_CHOSEN_ID = "_custom_id_"  # the embedded AWS takes the id of a new resource from this tag
_SMALLEST_SUBNET = 28


def prerequisites(env: Environment, account: str, client: Clients) -> Iterator[str]:
    """Makes what an environment file requires of its account; yields a line for each that it made."""
    iam = client("iam", account, env.region)
    for name in dict.fromkeys([*env.callers.role_names, *env.operators.role_names]):
        trust = {"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"}
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))
            yield f"role {name} in {account}"
    if env.network.existing_vpc is not None:
        for line in _vpc(client("ec2", account, env.region), env.region, env.network.existing_vpc):
            yield f"{line} in {account}"
    if env.encryption.kms_key_arn is not None:
        yield from _key(env.encryption.kms_key_arn, account, client)


def permissions_boundary(project: Path, account: str, region: str, client: Clients) -> Iterator[str]:
    """Makes the policy that cdk.json names as permissions boundary of all roles."""
    boundary = cdk_context(project).get("@aws-cdk/core:permissionsBoundary") or {}
    name = boundary.get("name") or boundary.get("arn", "").partition(":policy/")[2]
    if not name or ":iam::aws:" in boundary.get("arn", ""):
        return
    own = bootstrap(project).qualifier
    for placeholder, value in (("Qualifier", own), ("AWS::AccountId", account), ("AWS::Region", region)):
        name = name.replace(f"${{{placeholder}}}", value)
    path, _, name = f"/{name}".rpartition("/")
    iam = client("iam", account, region)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    with suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_policy(Path=f"{path}/", PolicyName=name, PolicyDocument=_policy(everything))
        yield f"permissions boundary {name} in {account}"


def oidc_providers(arns: Iterable[str], region: str, client: Clients) -> Iterator[str]:
    """Makes the OpenID Connect providers that pipeline.yaml names."""
    for arn in arns:
        account, host = arn.split(":")[4], arn.partition("/")[2]
        iam = client("iam", account, region)
        with suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_open_id_connect_provider(Url=f"https://{host}", ClientIDList=["sts.amazonaws.com"])
            yield f"OpenID Connect provider {host} in {account}"


def _vpc(ec2: Any, region: str, vpc: ExistingVpc) -> Iterator[str]:
    of_vpc = [{"Name": "vpc-id", "Values": [vpc.vpc_id]}]
    if not ec2.describe_vpcs(Filters=of_vpc)["Vpcs"]:
        ec2.create_vpc(CidrBlock=vpc.cidr, TagSpecifications=_with_id("vpc", vpc.vpc_id))
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=vpc.vpc_id, **{attribute: {"Value": True}})
        yield f"VPC {vpc.vpc_id} ({vpc.cidr})"
    tables = ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]
    for table in vpc.route_table_ids:
        if table not in [one["RouteTableId"] for one in tables]:
            ec2.create_route_table(VpcId=vpc.vpc_id, TagSpecifications=_with_id("route-table", table))
            yield f"route table {table}"
    subnets = ec2.describe_subnets(Filters=of_vpc)["Subnets"]
    ranges = _free_ranges(vpc, [IPv4Network(one["CidrBlock"]) for one in subnets])
    for number, (subnet, zone) in enumerate(zip(vpc.subnet_ids, vpc.availability_zones, strict=True)):
        if subnet in [one["SubnetId"] for one in subnets]:
            continue
        tags = _with_id("subnet", subnet)
        cidr = str(next(ranges, vpc.cidr))  # EC2 says that there is no room
        by = "AvailabilityZone" if zone.startswith(region) else "AvailabilityZoneId"
        ec2.create_subnet(VpcId=vpc.vpc_id, CidrBlock=cidr, TagSpecifications=tags, **{by: zone})
        if vpc.route_table_ids:
            table = vpc.route_table_ids[number % len(vpc.route_table_ids)]
            ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        yield f"subnet {subnet} ({cidr}, {zone})"
    if not vpc.route_table_ids:  # then the VPC has a way to S3 already
        service = f"com.amazonaws.{region}.s3"
        of_s3 = [*of_vpc, {"Name": "service-name", "Values": [service]}]
        if not ec2.describe_vpc_endpoints(Filters=of_s3)["VpcEndpoints"]:
            routes = [one["RouteTableId"] for one in tables or ec2.describe_route_tables(Filters=of_vpc)["RouteTables"]]
            ec2.create_vpc_endpoint(VpcId=vpc.vpc_id, ServiceName=service, RouteTableIds=routes)
            yield f"S3 gateway endpoint of {vpc.vpc_id}"


def _free_ranges(vpc: ExistingVpc, taken: list[IPv4Network]) -> Iterator[IPv4Network]:
    """Parts of the VPC's range, large enough for interfaces and, where there is room, enough for other subnets too."""
    whole = IPv4Network(vpc.cidr)
    bits = max((len(vpc.subnet_ids) - 1).bit_length(), min(5, _SMALLEST_SUBNET - whole.prefixlen))
    parts = whole.subnets(prefixlen_diff=bits)
    return (part for part in parts if not any(part.overlaps(one) for one in taken))


def _key(arn: str, user: str, client: Clients) -> Iterator[str]:
    *_, region, owner, resource = arn.split(":")
    key = resource.removeprefix("key/")
    kms = client("kms", owner, region)
    with suppress(kms.exceptions.NotFoundException):
        kms.describe_key(KeyId=key)
        return
    accounts = {"Effect": "Allow", "Principal": {"AWS": sorted({owner, user})}, "Action": "kms:*", "Resource": "*"}
    actions = ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    logs = {"Principal": {"Service": f"logs.{region}.{suffix}"}, "Action": actions}
    kms.create_key(
        Policy=_policy(accounts, {"Effect": "Allow", "Resource": "*", **logs}),
        MultiRegion=key.startswith("mrk-"),
        Tags=[{"TagKey": _CHOSEN_ID, "TagValue": key}],
    )
    yield f"KMS key {key} in {owner}"


def _with_id(resource_type: str, chosen: str) -> list[dict[str, Any]]:
    return [{"ResourceType": resource_type, "Tags": [{"Key": _CHOSEN_ID, "Value": chosen}]}]


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
