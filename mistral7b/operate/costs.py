"""What an environment costs, by item."""

from dataclasses import dataclass
from itertools import pairwise
from operator import mul
from typing import Any

from mistral7b.catalog.data import load
from mistral7b.environment import Environment

MONTH_HOURS = float(load("prices.json")["hours_a_month"])
_WEEKDAYS = 5 * 52 / 12
# Of an alarm that reads more than one; the metric that the log of refusals is counted in costs as three.
_METRICS = {"server_errors": 2, "model_errors": 3, "refused_requests": 2 + 3, "scaling_at_maximum": 3}
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
    own_keys += bool(env.alarms and not env.alarms.existing_topic_arn)
    read = sum(_METRICS.get(kind, 1) for kind in env.alarm_thresholds if env.auto_scaling or kind[:7] != "scaling")
    running = MONTH_HOURS - hours_stopped(env)
    kind = f"{env.instance_type}, {running:.0f} h" if env.office_hours else env.instance_type
    rows = [
        _item(kind, env.instance_bounds, hourly, running, _on_average(env)),
        _item("zone of the interface endpoint", (zones, zones), usd["interface_endpoint_zone_hour"]),
        _item("customer managed key", (own_keys, own_keys), usd["key"] / MONTH_HOURS),
        _item("metric of an alarm", (read, read), usd["alarm_metric"] / MONTH_HOURS),
        _item("dashboard", (int(env.dashboard),) * 2, usd["dashboard"] / MONTH_HOURS),
        _item("alarm of scaling", (2, 2) if env.auto_scaling else (0, 0), usd["alarm"] / MONTH_HOURS),
    ]
    items = [one for one in rows if one.count != (0, 0)]
    total = Item("in all", None, _sum([one.usd_per_hour for one in items]), _sum([one.usd_per_month for one in items]))
    sources = as_of if source == as_of else f"instances: {source}; others: {as_of}"
    return Estimate(items, total, sources, load("prices.json")["not_counted"].format(**usd))


def _item(
    item: str, count: tuple[int, int], price: float | None, hours: float = MONTH_HOURS, average: Span | None = None
) -> Item:
    if price is None:
        return Item(item, count, None, None)
    low, high = average or count
    return Item(item, count, (count[0] * price, count[1] * price), (low * price * hours, high * price * hours))


def _on_average(env: Environment) -> Span:
    """Fewest and most instances, on the average of a week of 168 hours."""
    if env.auto_scaling is None:
        return env.instance_bounds
    week = env.auto_scaling.week
    lasts = [end - start for (start, *_), (end, *_) in pairwise([*week, (week[0][0] + 168, 0, 0)])]
    low, high = (sum(map(mul, lasts, bound)) / 168 for bound in list(zip(*week, strict=True))[1:])
    return low, high


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
