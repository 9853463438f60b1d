"""What single resources cost a month, by built-in prices."""

from collections.abc import Callable
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
    """What a resource of `mistral7b.operate.inventory` costs a month; None where the price is not known.

    Requests and data transfer are not counted. Raises ClientError.
    """
    usd, _ = prices(region)
    cost = _COSTS.get(kind)
    return cost(client, name, usd) if cost else float(usd.get(kind, 0))


def _log_group(client: Client, name: str, usd: dict[str, Any]) -> float:
    pages = client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=name)
    groups = [one for page in pages for one in page["logGroups"] if one["logGroupName"] == name]
    return float(sum(one.get("storedBytes", 0) for one in groups) / _GIB * usd["log_gib"])


def _bucket(client: Client, name: str, usd: dict[str, Any]) -> float:
    pages = client("s3").get_paginator("list_object_versions").paginate(Bucket=name)
    return float(sum(one["Size"] for page in pages for one in page.get("Versions", ())) / _GIB * usd["bucket_gib"])


def _vpc_endpoint(client: Client, name: str, usd: dict[str, Any]) -> float:
    zones = sum(
        len(e["SubnetIds"]) for e in client("ec2").describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    )
    return float(zones * usd["interface_endpoint_zone_hour"] * load("prices.json")["hours_a_month"])


def _endpoint(client: Client, name: str, usd: dict[str, Any]) -> float | None:
    sagemaker, hours = client("sagemaker"), load("prices.json")["hours_a_month"]
    endpoint = sagemaker.describe_endpoint(EndpointName=name)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    types = {one["VariantName"]: one.get("InstanceType") for one in config["ProductionVariants"]}
    total = 0.0
    for variant in endpoint.get("ProductionVariants", ()):
        if (hourly := usd["instance_hour"].get(types[variant["VariantName"]])) is None:
            return None
        total += variant.get("CurrentInstanceCount", 0) * hourly * hours
    return total


_COSTS: dict[str, Callable[[Client, str, dict[str, Any]], float | None]] = {
    "log group": _log_group,
    "bucket": _bucket,
    "vpc endpoint": _vpc_endpoint,
    "sagemaker endpoint": _endpoint,
}
