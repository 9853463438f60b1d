"""The tag `_custom_id_` chooses the id of a VPC, subnet, route table or key; moto still ignores it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.ec2.models.route_tables import RouteBackend
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.kms import models as kms_models
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse
from moto.utilities.id_generator import TAG_KEY_CUSTOM_ID

from sagehost import moto_app, patches
from tests.unit.fresh_accounts import fresh_account

VPC, SUBNET, TABLE = "vpc-0123456789abcdef0", "subnet-0123456789abcdef0", "rtb-0123456789abcdef0"
KEYS = ("01234567-89ab-cdef-0123-456789abcdef", "mrk-0123456789abcdef0123456789abcdef")


@pytest.fixture(autouse=True)
def _corrected() -> None:
    for service in ("ec2", "kms"):
        patches.install(service)


@pytest.fixture
def client() -> Callable[[str], Any]:
    account = fresh_account()
    return lambda service: moto_app.client(service, account, "us-east-1")


@pytest.fixture
def ec2(client: Callable[[str], Any]) -> Any:
    return client("ec2")


def tagged(resource_type: str, chosen: str) -> list[dict[str, Any]]:
    tags = [{"Key": TAG_KEY_CUSTOM_ID, "Value": chosen}, {"Key": "team", "Value": "search"}]
    return [{"ResourceType": resource_type, "Tags": tags}]


def create_vpc(ec2: Any, chosen: str = VPC) -> Any:
    return ec2.create_vpc(CidrBlock="10.20.0.0/16", TagSpecifications=tagged("vpc", chosen))["Vpc"]


def create_subnet(ec2: Any, cidr: str) -> Any:
    tags = tagged("subnet", SUBNET)
    return ec2.create_subnet(VpcId=VPC, CidrBlock=cidr, AvailabilityZone="us-east-1a", TagSpecifications=tags)["Subnet"]


def create_table(ec2: Any) -> Any:
    return ec2.create_route_table(VpcId=VPC, TagSpecifications=tagged("route-table", TABLE))["RouteTable"]


def test_resources_of_a_network_get_the_ids_of_their_tags(ec2: Any) -> None:
    assert create_vpc(ec2)["VpcId"] == VPC
    assert create_subnet(ec2, "10.20.0.0/24")["SubnetId"] == SUBNET
    assert create_table(ec2)["RouteTableId"] == TABLE
    assert [one["VpcId"] for one in ec2.describe_vpcs(VpcIds=[VPC])["Vpcs"]] == [VPC]


def test_the_tag_itself_is_not_kept(ec2: Any) -> None:
    create_vpc(ec2)
    create_subnet(ec2, "10.20.0.0/24")
    create_table(ec2)
    tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [VPC, SUBNET, TABLE]}])["Tags"]
    assert sorted(tag["Key"] for tag in tags) == ["team"] * 3


def test_an_id_is_chosen_for_one_resource_only(ec2: Any) -> None:
    create_vpc(ec2)
    other = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
    assert other.startswith("vpc-")
    assert other != VPC


@pytest.mark.parametrize("chosen", ["vpc-1", "subnet-0123456789abcdef0", "vpc-0123456789ABCDEF0", ""])
def test_a_malformed_id_is_refused(ec2: Any, chosen: str) -> None:
    with pytest.raises(ClientError, match="malformed or taken") as refused:
        create_vpc(ec2, chosen)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_an_id_that_is_taken_is_refused(ec2: Any) -> None:
    create_vpc(ec2)
    create_subnet(ec2, "10.20.0.0/24")
    create_table(ec2)
    for create in (create_vpc, create_table, lambda ec2: create_subnet(ec2, "10.20.1.0/24")):
        with pytest.raises(ClientError, match="malformed or taken"):
            create(ec2)


@pytest.mark.parametrize("key", KEYS)
def test_a_key_gets_the_id_of_its_tag_and_not_the_tag(client: Callable[[str], Any], key: str) -> None:
    kms, tags = client("kms"), [{"TagKey": TAG_KEY_CUSTOM_ID, "TagValue": key}]
    arn = kms.create_key(Tags=tags, MultiRegion=key.startswith("mrk-"))["KeyMetadata"]["Arn"]
    assert arn.endswith(f":key/{key}")
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"] == arn
    assert kms.list_resource_tags(KeyId=key)["Tags"] == []
    with pytest.raises(ClientError, match="malformed or taken"):
        kms.create_key(Tags=tags)


def test_moto_draws_every_id(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in (
        (VPCBackend, "create_vpc"),
        (SubnetBackend, "create_subnet"),
        (RouteBackend, "create_route_table"),
        (KmsBackend, "create_key"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name).__wrapped__)
    assert create_vpc(client("ec2"))["VpcId"] != VPC
    tags = [{"TagKey": TAG_KEY_CUSTOM_ID, "TagValue": KEYS[0]}]
    assert client("kms").create_key(Tags=tags)["KeyMetadata"]["KeyId"] != KEYS[0]


def test_moto_does_not_find_a_multi_region_key_by_its_id(
    client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client("kms").create_key(Tags=[{"TagKey": TAG_KEY_CUSTOM_ID, "TagValue": KEYS[1]}])
    monkeypatch.setattr(KmsResponse, "_validate_cmk_id", KmsResponse._validate_cmk_id.__wrapped__)  # type: ignore[attr-defined]
    with pytest.raises(ClientError, match="Invalid keyId"):
        client("kms").describe_key(KeyId=KEYS[1])


def test_symmetric_keys_have_no_private_key_where_moto_draws_one() -> None:
    generate = vars(kms_models)["generate_private_key"]
    assert generate("SYMMETRIC_DEFAULT") is None
    assert generate.__wrapped__("SYMMETRIC_DEFAULT") is not None
    assert generate("ECC_NIST_P256") is not None
