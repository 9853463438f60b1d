"""What an environment costs: figures by hand, items as the templates have them, and the AWS Price List."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from mistral7b import catalog
from mistral7b.environment import Environment, load_environment
from mistral7b.operate import costs
from mistral7b.operate.costs import Estimate, estimate, price_of
from mistral7b.operate.price_list import current_price
from mistral7b_cli.cost import cost_lines

SNAPSHOT = Path(__file__).parents[2] / "snapshot"
AS_OF = "prices of us-east-1, November 2024, on demand, without free tier"
SCALING = {"min_instances": 2, "max_instances": 4}
NIGHT = {"time_zone": "Europe/Berlin", "weekdays": "08:00-19:00"}


def environment(**file: Any) -> Environment:
    return Environment.model_validate({"name": "dev", "region": "us-east-1", **file})


def counts(found: Estimate) -> dict[str, tuple[int, int] | None]:
    return {one.item: one.count for one in found.items}


def test_environment_that_scales_costs_its_bounds_and_what_is_there_anyway() -> None:
    found = estimate(environment(auto_scaling=SCALING))
    months = [one.usd_per_month for one in found.items]
    # 1.515 USD × 730 hours × 2 and 4; 0.01 × 730 × 2 zones; 2 keys of 1 USD; 2 high-resolution alarms of 0.30 USD.
    by_hand = [(2211.90, 4423.80), (14.60, 14.60), (2.00, 2.00), (0.60, 0.60)]
    assert months == [pytest.approx(one) for one in by_hand]
    assert found.items[0].usd_per_hour == pytest.approx((3.03, 6.06))
    assert found.total.usd_per_month == pytest.approx((2229.10, 4441.00))
    assert found.total.usd_per_hour == pytest.approx((3.03 + 0.02 + 2.60 / 730, 6.06 + 0.02 + 2.60 / 730))
    assert found.prices == AS_OF


def test_a_schedule_counts_the_bounds_of_each_hour() -> None:
    # 2 to 4 for 11 hours of five days, 1 to 2 in the 113 other hours of the week.
    day, night = {"at": "08:00", "days": "weekdays", "min_instances": 2}, {"at": "19:00", "max_instances": 2}
    found = estimate(environment(auto_scaling={"max_instances": 4, "schedule": [day, night]})).items[0]
    assert found.count == (1, 4)
    assert found.usd_per_hour == pytest.approx((1.515, 6.06))
    assert found.usd_per_month == pytest.approx([1.515 * 730 * (55 * n + 113 * m) / 168 for n, m in ((2, 1), (4, 2))])


def test_office_hours_count_only_the_hours_in_which_it_runs() -> None:
    found = estimate(environment(office_hours=NIGHT, data_capture={}, network={"runtime_endpoint": False}))
    # 11 hours on 5 × 52 / 12 days a month; three keys.
    assert found.total.usd_per_month == pytest.approx((1.515 * 11 * 260 / 12 + 3,) * 2)
    assert counts(found) == {"ml.g5.2xlarge, 238 h": (1, 1), "customer managed key": (3, 3)}


@pytest.mark.parametrize(
    "name", ["archive", "everything", "existing-everything", "existing-routes", "existing-vpc", "nothing", "planned"]
)
def test_items_are_those_of_the_template(name: str) -> None:
    file = SNAPSHOT / "__snapshots__" / "test_templates" / f"test_template_matches_snapshot[{name}-endpoint].json"
    resources = json.loads(file.read_text())["Resources"].values()

    def properties(kind: str) -> list[dict[str, Any]]:
        return [one.get("Properties", {}) for one in resources if one["Type"] == f"AWS::{kind}"]

    zones = sum(len(one.get("SubnetIds", ())) for one in properties("EC2::VPCEndpoint"))
    [variant] = properties("SageMaker::EndpointConfig")[0]["ProductionVariants"]
    targets = [(one["MinCapacity"], one["MaxCapacity"]) for one in properties("ApplicationAutoScaling::ScalableTarget")]
    found = estimate(load_environment(SNAPSHOT / "variants", name))
    (kind, instances), *others = counts(found).items()
    assert kind.split(",")[0] == variant["InstanceType"]
    assert [instances] == (targets or [(variant["InitialInstanceCount"],) * 2])
    read = [
        sum("MetricStat" in query for query in one.get("Metrics", ())) or 1 for one in properties("CloudWatch::Alarm")
    ]
    expected = {
        "metric of an alarm": sum(read) + 3 * len(properties("Logs::MetricFilter")),  # 0.30 USD is three times 0.10
        "dashboard": len(properties("CloudWatch::Dashboard")),
        "zone of the interface endpoint": zones,
        "customer managed key": len(properties("KMS::Key")),
        "alarm of scaling": 2 * len(targets),
    }
    assert dict(others) == {item: (count, count) for item, count in expected.items() if count}


def test_region_without_prices_says_whose_it_takes() -> None:
    assert estimate(environment(region="eu-central-1")).prices == AS_OF


def test_every_type_without_a_price_says_so() -> None:
    prices = {one.name: price_of("us-east-1", one.name) for one in catalog.instance_types()}
    without = {name: source for name, (usd, source) in prices.items() if usd is None}
    assert without == {"ml.p4de.24xlarge": "no price of ml.p4de.24xlarge is built in: --price"}


def test_without_a_price_of_the_instances_there_is_no_total() -> None:
    found = estimate(environment(), price_of("us-east-1", "ml.p4de.24xlarge"))
    assert (found.items[0].usd_per_month, found.total.usd_per_month) == (None, None)
    shown = [*cost_lines(found)]
    assert (shown[0], shown[-1]) == (
        "1 × ml.g5.2xlarge: ? USD an hour, ? a month",
        "in all: ? USD an hour, ? a month",
    )
    assert found.prices == f"instances: no price of ml.p4de.24xlarge is built in: --price; others: {AS_OF}"


def test_given_price_is_that_of_an_instance_hour() -> None:
    found = estimate(environment(instance={"count": 3}), price_of("us-east-1", "ml.g5.2xlarge", 2.0))
    assert found.items[0].usd_per_hour == (6, 6)
    assert found.prices == f"instances: --price; others: {AS_OF}"


class Session:
    """A session whose pricing client gives these prices, or this error."""

    def __init__(self, prices: Sequence[str] = (), error: str = "") -> None:
        self.pricing = boto3.client("pricing", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
        stubber = Stubber(self.pricing)
        if error:
            stubber.add_client_error("get_products", error, "not authorized to perform: pricing:GetProducts")
        else:
            stubber.add_response("get_products", {"PriceList": [product(usd) for usd in prices]}, EXPECTED)
        stubber.activate()

    def client(self, service: str, *, region_name: str, config: Any) -> Any:
        assert (service, region_name, config.retries["total_max_attempts"]) == ("pricing", "us-east-1", 1)
        return self.pricing


EXPECTED = {
    "ServiceCode": "AmazonSageMaker",
    "Filters": [
        {"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"},
        {"Type": "TERM_MATCH", "Field": "instanceName", "Value": "ml.g5.2xlarge"},
        {"Type": "TERM_MATCH", "Field": "platoinstancetype", "Value": "Hosting"},
    ],
}


def product(usd: str) -> str:
    """As the Price List Query API has one: JSON in a string, with terms by SKU and rate code."""
    dimensions = {"SKU.JRTCKXETXF.6YS6EN2CT7": {"unit": "Hrs", "pricePerUnit": {"USD": usd}}}
    terms = {"OnDemand": {"SKU.JRTCKXETXF": {"priceDimensions": dimensions}}}
    return json.dumps({"product": {"sku": "SKU"}, "terms": terms, "publicationDate": "2026-11-20T17:03:23Z"})


def current(monkeypatch: pytest.MonkeyPatch, session: Session) -> costs.Price:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    return current_price(session, "eu-central-1", "ml.g5.2xlarge")


def test_price_list_gives_the_price_of_the_region_with_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    assert current(monkeypatch, Session(["1.894"])) == (1.894, "AWS Price List of 2026-11-20")


@pytest.mark.parametrize("prices", [[], ["1.894", "2.1"]])
def test_built_in_price_is_taken_unless_there_is_exactly_one(
    monkeypatch: pytest.MonkeyPatch, prices: Sequence[str]
) -> None:
    reason = f"(the AWS Price List has {len(prices)} prices of ml.g5.2xlarge)"
    assert current(monkeypatch, Session(prices)) == (1.515, f"{AS_OF} {reason}")


def test_missing_permission_for_the_price_list_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    found = current(monkeypatch, Session(error="AccessDeniedException"))
    assert found == (1.515, f"{AS_OF} (AWS Price List not checked: needs pricing:GetProducts)")


def test_neither_the_embedded_aws_nor_china_is_asked_for_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    nobody: Any = None
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    assert current_price(nobody, "us-east-1", "ml.g5.2xlarge") == (1.515, AS_OF)
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    assert current_price(nobody, "cn-north-1", "ml.g5.2xlarge") == (1.515, AS_OF)
