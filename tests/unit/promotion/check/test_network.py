"""An environment's existing VPC, as the pipeline's check sees it."""

import pytest

from mistral7b.promotion import Promotion
from mistral7b.promotion.check.checks import Finding, check
from mistral7b_cli.demo.prerequisites import prerequisites
from sagehost import moto_app
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap, fix
from tests.unit.promotion.conftest import Load, head, promoting

EXISTING = """
network:
  existing_vpc:
    vpc_id: vpc-0123456789abcdef0
    cidr: 10.20.0.0/16
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    availability_zones: [use1-az1, use1-az2]
    route_table_ids: [rtb-0123456789abcdef0]
"""


@pytest.fixture
def promotion(cloud: EmbeddedCloud, load: Load) -> Promotion:
    """dev, in an existing VPC of the pipeline's account."""
    bootstrap(cloud.account)
    return load(
        head(account=f'account: "{cloud.account}"') + promoting("dev"), {"dev": f"region: {REGION}\n{EXISTING}"}
    )


def network(cloud: EmbeddedCloud, promotion: Promotion) -> Finding:
    [one] = [one for one in check(promotion, cloud) if one.subject == "environment"]
    return one


def test_a_vpc_that_is_not_there_is_refused_with_field_and_fix(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    found = network(cloud, promotion)
    reason = "dev.yaml: network.existing_vpc.vpc_id = 'vpc-0123456789abcdef0': there is no such VPC in us-east-1"
    assert (found.status, found.used_by, fix(found)) == ("refused", ("dev",), "give the id of one")
    assert found.detail.endswith(reason)


def test_a_vpc_that_is_as_the_file_says_is_fine(cloud: EmbeddedCloud, promotion: Promotion) -> None:
    [dev] = promotion.environments
    list(prerequisites(dev.environment, cloud.account, moto_app.client))
    assert network(cloud, promotion).status == "fine"
