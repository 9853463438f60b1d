"""What the catalogue, the container or AWS would refuse later is refused by the environment file's rules."""

import pytest

from tests.unit.environment.conftest import Load, Problems

REFUSED = {
    "a region whose prefix list is unknown": (
        "region: me-south-1",
        "network.s3_prefix_list_id",
        "prefix list in me-south-1 is not in the catalogue",
    ),
    "a version JumpStart never published": ("model_version: 9.9.9", "model_version", "JumpStart has no such version"),
    "a region without the artifact": (
        "region: me-central-1\nnetwork: {s3_prefix_list_id: pl-12345678}",
        "region",
        "does not publish instruct 2.0.0 there",
    ),
    "a region that does not exist": ("region: eu-west-9", "region", "in no such region"),
    "an instance type without the GPUs": ("instance: {type: ml.m5.large}", "instance.type", "is not offered on it"),
    "an instance type of newer versions": (
        "instance: {type: ml.g4dn.12xlarge}",
        "instance.type",
        "does not offer instruct 2.0.0 on it",
    ),
    "shards that are not the GPUs": ("tgi: {SM_NUM_GPUS: 2}", "tgi.SM_NUM_GPUS", "ml.g5.2xlarge has 1 GPU"),
    "a prompt as long as the whole": (
        "tgi: {MAX_TOTAL_TOKENS: 8191}",
        "tgi.MAX_INPUT_LENGTH",
        "less than MAX_TOTAL_TOKENS",
    ),
    "a prefill shorter than a prompt": (
        "tgi: {MAX_BATCH_PREFILL_TOKENS: 4096}",
        "tgi.MAX_BATCH_PREFILL_TOKENS",
        "MAX_INPUT_LENGTH",
    ),
    "a model from the Hub": ("tgi: {HF_MODEL_ID: mistralai/Mistral-7B-v0.1}", "tgi.HF_MODEL_ID", "no network"),
    "weights that are not there": ("tgi: {HF_MODEL_QUANTIZE: awq}", "tgi.HF_MODEL_QUANTIZE", "half precision"),
    "more than the requests a container takes": (
        "auto_scaling: {target_concurrent_requests: 129}",
        "auto_scaling.target_concurrent_requests",
        "MAX_CONCURRENT_REQUESTS, 128",
    ),
    "fewer instances than scaling allows": (
        "auto_scaling: {min_instances: 2, max_instances: 3}",
        "instance.count",
        "between 2 and 3",
    ),
    "scaling to zero": ("auto_scaling: {min_instances: 0}", "auto_scaling.min_instances", "1 or more"),
    "a VPC beyond /16": ("network: {vpc: {cidr: 10.0.0.0/8}}", "network.vpc.cidr", "/16 and /28"),
    "a CIDR with host bits": ("network: {vpc: {cidr: 10.0.0.1/16}}", "network.vpc.cidr", "has host bits set"),
    "a VPC without room": ("network: {vpc: {cidr: 10.0.0.0/28}}", "network.vpc.cidr", "no room for 2 subnets"),
    "one zone": ("network: {vpc: {availability_zones: 1}}", "network.vpc.availability_zones", "2 or more"),
    "more zones than the region has": (
        "network: {vpc: {availability_zones: 4}}\nregion: eu-west-1",
        "network.vpc.availability_zones",
        "eu-west-1 has 3 known zones",
    ),
    "a zone of another region": (
        "network: {vpc: {availability_zones: [us-east-1a, us-east-2b]}}",
        "network.vpc.availability_zones",
        "us-east-2b is no zone of us-east-1",
    ),
    "a zone twice": (
        "network: {vpc: {availability_zones: [us-east-1a, us-east-1a]}}",
        "network.vpc.availability_zones",
        "each named once",
    ),
    "zone names that differ by account": (
        "region: us-west-1",
        "network.vpc.availability_zones",
        "differ between accounts",
    ),
    "both kinds of VPC": (
        "network: {vpc: {}, existing_vpc: {vpc_id: vpc-12345678, cidr: 10.0.0.0/16,"
        " subnet_ids: [subnet-12345678, subnet-23456789], availability_zones: [us-east-1a, us-east-1b]}}",
        "network.vpc",
        "both network.vpc and network.existing_vpc",
    ),
    "subnets without their zones": (
        "network: {existing_vpc: {vpc_id: vpc-12345678, cidr: 10.0.0.0/16,"
        " subnet_ids: [subnet-12345678, subnet-23456789, subnet-34567890],"
        " availability_zones: [us-east-1a, us-east-1b]}}",
        "network.existing_vpc.availability_zones",
        "3 subnet_ids and 2 zones",
    ),
    "a VPC id of the wrong form": (
        "network: {existing_vpc: {vpc_id: my-vpc, cidr: 10.0.0.0/16,"
        " subnet_ids: [subnet-12345678, subnet-23456789], availability_zones: [us-east-1a, us-east-1b]}}",
        "network.existing_vpc.vpc_id",
        "wrong form",
    ),
    "a retention CloudWatch does not know": (
        "removal: {log_retention_days: 8}",
        "removal.log_retention_days",
        "possible values",
    ),
    "an endpoint name with an underscore": ("endpoint_name: my_endpoint", "endpoint_name", "wrong form"),
    "an endpoint name of 64 letters": (f"endpoint_name: {'x' * 64}", "endpoint_name", "wrong form"),
    "an account of 11 digits": ('account: "12345678901"', "account", "wrong form"),
    "a tag of AWS's own": ('tags: {"aws:name": x}', "tags.aws:name", "AWS's own"),
    "a time-out that SageMaker refuses": (
        "timeouts: {container_startup_seconds: 3601}",
        "timeouts.container_startup_seconds",
        "3600 or less",
    ),
}


@pytest.mark.parametrize(("text", "field", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_it_refuses(text: str, field: str, reason: str, problems: Problems) -> None:
    region = "" if "region:" in text else "region: us-east-1\n"
    found = problems(region + text)
    assert list(found) == [field]
    assert reason in found[field].reason
    assert found[field].fix


def test_a_target_below_a_raised_limit_is_accepted(load: Load) -> None:
    env = load(
        "region: us-east-1\ntgi: {MAX_CONCURRENT_REQUESTS: 256}\nauto_scaling: {target_concurrent_requests: 200}\n"
    )
    assert env.auto_scaling is not None


def test_named_zones_are_used_as_they_are(load: Load) -> None:
    env = load("region: us-west-1\nnetwork: {vpc: {availability_zones: [us-west-1b, us-west-1c]}}\n")
    assert env.availability_zones == ("us-west-1b", "us-west-1c")
