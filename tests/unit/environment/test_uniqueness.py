from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mistral7b.environment import EnvironmentFileError, load_environments

VPC = {
    "vpc_id": "vpc-0123456789abcdef0",
    "cidr": "10.20.0.0/16",
    "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
    "availability_zones": ["us-east-1a", "us-east-1b"],
}
Load = Callable[..., None]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(**files: dict[str, Any]) -> None:
        for name, values in files.items():
            (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump({"region": "us-east-1", **values}))
        load_environments(tmp_path)

    return load


def in_vpc(*, runtime: bool = False, tables: list[str] | None = None) -> dict[str, Any]:
    return {"network": {"runtime_endpoint": runtime, "existing_vpc": VPC | {"route_table_ids": tables or []}}}


@pytest.mark.parametrize("other", ["mistral", "Mistral"])
def test_two_environments_cannot_share_an_endpoint(load: Load, other: str) -> None:
    """Two environments have no endpoint in common, capital letters or not. Source: SageMaker API, CreateEndpoint."""
    with pytest.raises(EnvironmentFileError, match="dev and staging have the same endpoint"):
        load(dev={"endpoint_name": "mistral"}, staging={"endpoint_name": other})


def test_one_name_in_two_regions_or_accounts_is_two_endpoints(load: Load) -> None:
    load(
        dev={"endpoint_name": "mistral"},
        staging={"endpoint_name": "mistral", "account": "222222222222"},
        prod={"endpoint_name": "mistral", "region": "us-west-2"},
    )


def test_one_vpc_has_private_dns_for_the_runtime_once(load: Load) -> None:
    """Two environments in one existing VPC do not both give it private DNS for the runtime, or a route table a gateway
    to S3. Source: EC2 API, CreateVpcEndpoint.
    """
    with pytest.raises(EnvironmentFileError, match=r"staging.yaml: network.runtime_endpoint = .*vpc-0123") as caught:
        load(dev=in_vpc(runtime=True), staging=in_vpc(runtime=True))
    assert [problem.field for problem in caught.value.problems] == ["network.runtime_endpoint"]


def test_one_route_table_has_a_gateway_to_s3_once(load: Load) -> None:
    tables = ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"]
    with pytest.raises(EnvironmentFileError) as caught:
        load(dev=in_vpc(tables=tables), staging=in_vpc(tables=tables[1:]))
    assert [(p.field, p.value) for p in caught.value.problems] == [
        ("network.existing_vpc.route_table_ids", "rtb-0123456789abcdef1")
    ]


def test_two_environments_can_be_in_one_vpc_where_one_has_its_ways(load: Load) -> None:
    load(dev=in_vpc(runtime=True, tables=["rtb-0123456789abcdef0"]), staging=in_vpc())
