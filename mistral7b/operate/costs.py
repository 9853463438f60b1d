"""What single resources cost a month, by built-in prices."""

from typing import Any

from mistral7b.catalog.data import load
from mistral7b.operate.account import Client

_GIB = 1024**3


def prices(region: str) -> tuple[dict[str, Any], str]:
    """Prices in USD, those of the default region where this one's are not built in, and what they are as of."""
    data = load("prices.json")
    where = region if region in data["usd"] else data["default_region"]
    return data["usd"][where], f"prices of {where}, {data['as_of']}"


def monthly_usd(client: Client, region: str, kind: str, name: str) -> float | None:
    """What a resource of this kind (`mistral7b.operate.inventory`) costs a month; None where no price is built in.

    Requests and data transfer are not counted. Raises ClientError.
    """
    usd, hours = prices(region)[0], load("prices.json")["hours_a_month"]
    if kind == "log group":
        pages = client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
        groups = [one for page in pages for one in page["logGroups"] if one["logGroupName"] == name]
        return float(sum(one.get("storedBytes", 0) for one in groups) / _GIB * usd["log_gib"])
    if kind == "bucket":
        pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=name)
        return float(sum(one["Size"] for page in pages for one in page.get("Versions", ())) / _GIB * usd["bucket_gib"])
    if kind == "vpc endpoint":
        [found] = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
        return float(len(found.get("SubnetIds", ())) * hours * usd["interface_endpoint_zone_hour"])
    if kind != "sagemaker endpoint":
        return float(usd.get(kind, 0))
    endpoint = client("sagemaker").describe_endpoint(EndpointName=name)
    config = client("sagemaker").describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    types = {one["VariantName"]: one.get("InstanceType") for one in config["ProductionVariants"]}
    running = {one["VariantName"]: one.get("CurrentInstanceCount", 0) for one in endpoint.get("ProductionVariants", ())}
    hourly = [(usd["instance_hour"].get(types.get(name)), count) for name, count in running.items()]
    return None if any(usd is None for usd, _ in hourly) else float(sum(usd * count * hours for usd, count in hourly))
