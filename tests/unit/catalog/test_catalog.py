"""The catalogue: JumpStart's facts by model, version, region and instance type."""

import re

import pytest

from mistral7b import catalog

REGIONS = catalog.regions()


def test_defaults_are_the_newest_versions_on_tgi_1_1_0() -> None:
    assert {m.name: m.default_version.version for m in catalog.models()} == {"base": "2.1.0", "instruct": "2.0.0"}


@pytest.mark.parametrize(
    "version", [v for m in catalog.models() for v in m.versions], ids=lambda v: f"{v.model}-{v.version}"
)
def test_every_version_has_an_image_and_an_artifact_in_each_of_its_regions(version: catalog.ModelVersion) -> None:
    for region in version.regions:
        account, _, rest = version.image_uri(region).partition(".dkr.ecr.")
        assert account.isdigit()
        assert rest.startswith(f"{region}.amazonaws.com{'.cn' if region.startswith('cn-') else ''}/")
        assert version.artifact_uri(region).startswith(f"s3://jumpstart-cache-prod-{region}/")


@pytest.mark.parametrize(
    "version", [v for m in catalog.models() for v in m.versions], ids=lambda v: f"{v.model}-{v.version}"
)
def test_shards_are_the_gpus_of_every_instance_type_that_a_version_supports(version: catalog.ModelVersion) -> None:
    for name in version.supported_instance_types:
        assert version.environment(name)["SM_NUM_GPUS"] == str(catalog.instance_type(name).gpus)


def test_the_default_artifacts_are_uncompressed_prefixes() -> None:
    assert all(m.default_version.artifact_key.endswith("/") for m in catalog.models())


def test_the_jumpstart_tags_are_the_ones_that_the_sagemaker_sdk_sets() -> None:
    assert catalog.model("instruct").default_version.jumpstart_tags == {
        "sagemaker-sdk:jumpstart-model-id": "huggingface-llm-mistral-7b-instruct",
        "sagemaker-sdk:jumpstart-model-version": "2.0.0",
    }


def test_an_unknown_version_lists_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"instruct has no version 1\.1\.0; there are 1\.0\.0, 2\.0\.0"):
        catalog.model("instruct").version("1.1.0")


def test_an_unknown_instance_type_lists_the_known_ones() -> None:
    with pytest.raises(LookupError, match=r"ml\.g5\.2xlarge"):
        catalog.instance_type("ml.m5.large")


def test_zones_are_unknown_where_accounts_see_different_ones() -> None:
    assert catalog.availability_zones("us-west-1") == ()


def test_every_other_region_of_the_catalogue_has_two_zones_or_more() -> None:
    assert {region for region in REGIONS if len(catalog.availability_zones(region)) < 2} == {"us-west-1"}


def test_zones_without_the_instance_type_come_last() -> None:
    assert catalog.availability_zones("us-east-1", "ml.g5.2xlarge")[-1] == "use1-az3"


def test_zones_are_the_same_whatever_the_instance_type() -> None:
    for region in REGIONS:
        zones = catalog.availability_zones(region)
        assert list(zones) == sorted(zones)
        assert sorted(catalog.availability_zones(region, "ml.p4de.24xlarge")) == list(zones)


@pytest.mark.parametrize("region", [region for region in REGIONS if catalog.availability_zones(region)])
def test_a_zones_number_is_the_digit_of_its_id(region: str) -> None:
    zones = catalog.availability_zones(region)
    assert [catalog.zone_number(region, zone) for zone in zones] == [int(zone.partition("-az")[2]) for zone in zones]


@pytest.mark.parametrize("region", REGIONS)
def test_a_zones_number_is_the_letter_of_its_name(region: str) -> None:
    assert [catalog.zone_number(region, region + letter) for letter in "abcdefgh"] == list(range(1, 9))


def test_no_zone_belongs_to_two_regions() -> None:
    zones = {region: (*catalog.availability_zones(region), f"{region}a") for region in REGIONS}
    mistaken = [
        (region, zone)
        for region in REGIONS
        for other in REGIONS
        for zone in zones[other]
        if region != other and catalog.zone_number(region, zone) is not None
    ]
    assert mistaken == []


@pytest.mark.parametrize("zone", ["", "use1-az0", "use1-az9", "use1-az10", "us-east-1i", "us-east-1", "USE1-AZ1"])
def test_a_name_that_is_not_a_zone_has_no_number(zone: str) -> None:
    assert catalog.zone_number("us-east-1", zone) is None


def test_prefix_list_ids_have_the_form_of_aws() -> None:
    ids = [id_ for region in REGIONS if (id_ := catalog.s3_prefix_list_id(region)) is not None]
    assert ids
    assert all(re.fullmatch(r"pl-[0-9a-f]{8}([0-9a-f]{9})?", id_) for id_ in ids)


def test_a_region_whose_prefix_list_is_not_known_has_none() -> None:
    assert catalog.s3_prefix_list_id("me-south-1") is None


def test_a_card_says_as_many_tokens_as_jumpstart_sets() -> None:
    for m in catalog.models():
        tokens = int(m.default_version.environment("ml.g5.2xlarge")["MAX_TOTAL_TOKENS"])
        assert m.card["context"] == f"{tokens:,} tokens"
