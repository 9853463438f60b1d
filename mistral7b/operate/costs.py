"""What an environment costs by item, and what single resources cost a month."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mistral7b.catalog.data import load
from mistral7b.environment import Environment

MONTH_HOURS = float(load("prices.json")["hours_a_month"])
_GIB = 1024**3
_WEEKDAYS = 5 * 52 / 12
Span = tuple[float, float]
"""With the fewest instances, and with the most."""
Price = tuple[float | None, str]
"""USD an instance-hour, None if it is not known; and where the price is from."""


@dataclass(frozen=True)
class Item:
    """What one item costs in USD; None where no price is known."""

    item: str
    count: tuple[int, int] | None
    usd_per_hour: Span | None
    """While it runs."""
    usd_per_month: Span | None


@dataclass(frozen=True)
class Estimate:
    """What an environment costs, as commands print it in JSON. The first item is the instances."""

    items: list[Item]
    total: Item
    prices: str
    not_counted: str


def estimate(env: Environment, price: Price | None = None) -> Estimate:
    """What the stack of an environment costs, by its file: no call to AWS. Default price: the built-in one."""
    usd, as_of = prices(env.region)
    hourly, source = price or price_of(env.region, env.instance_type)
    zones = len(set(env.availability_zones)) if env.network.runtime_endpoint else 0
    # For the container's log, flow logs and captured requests; encryption.kms_key_arn takes the place of all.
    own_keys = 0 if env.encryption.kms_key_arn else 1 + bool(env.own_vpc) + bool(env.data_capture)
    running = MONTH_HOURS - hours_stopped(env)
    kind = f"{env.instance_type}, {running:.0f} h" if env.office_hours else env.instance_type
    rows = [
        _item(kind, env.instance_bounds, hourly, running),
        _item("zone of the interface endpoint", (zones, zones), usd["interface_endpoint_zone_hour"]),
        _item("customer managed key", (own_keys, own_keys), usd["key"] / MONTH_HOURS),
        _item("alarm of scaling", (2, 2) if env.auto_scaling else (0, 0), usd["alarm"] / MONTH_HOURS),
    ]
    items = [one for one in rows if one.count != (0, 0)]
    total = Item("in all", None, _sum([one.usd_per_hour for one in items]), _sum([one.usd_per_month for one in items]))
    sources = as_of if source == as_of else f"instances: {source}; others: {as_of}"
    return Estimate(items, total, sources, load("prices.json")["not_counted"].format(**usd))


def _item(item: str, count: tuple[int, int], price: float | None, hours: float = MONTH_HOURS) -> Item:
    hourly = None if price is None else (count[0] * price, count[1] * price)
    return Item(item, count, hourly, hourly and (hourly[0] * hours, hourly[1] * hours))


def _sum(spans: list[Span | None]) -> Span | None:
    known = [span for span in spans if span is not None]
    return (sum(low for low, _ in known), sum(high for _, high in known)) if len(known) == len(spans) else None


def hours_stopped(env: Environment) -> float:
    """Hours a month for which office hours stop the endpoint; 0 without them."""
    if env.office_hours is None:
        return 0.0
    opens, closes = env.office_hours.hours
    return MONTH_HOURS - _WEEKDAYS * (closes.hour - opens.hour + (closes.minute - opens.minute) / 60)


def price_of(region: str, instance_type: str, given: float | None = None) -> Price:
    """The price that is `given`, or else the built-in one."""
    usd, as_of = prices(region)
    price = usd["instance_hour"].get(instance_type) if given is None else given
    none = f"no price of {instance_type} is built in: --price"
    return price, "--price" if given is not None else none if price is None else as_of


def prices(region: str) -> tuple[dict[str, Any], str]:
    """Prices in USD, those of the default region where this one's are not built in, and what they are as of."""
    data = load("prices.json")
    where = region if region in data["usd"] else data["default_region"]
    return data["usd"][where], f"prices of {where}, {data['as_of']}"


def monthly_usd(client: Callable[[str], Any], region: str, kind: str, name: str) -> float | None:
    """What a resource of this kind (`mistral7b.operate.inventory`) costs a month; None where no price is built in.

    Requests and data transfer are not counted. Raises ClientError.
    """
    usd, hours = prices(region)[0], MONTH_HOURS
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
