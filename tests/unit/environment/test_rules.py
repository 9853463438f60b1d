"""What the catalogue, the container or AWS would refuse later is refused by the environment file's rules."""

from pathlib import Path

import pytest

from mistral7b.environment import EnvironmentFileError, load_environment
from tests.unit.environment.conftest import Load, Problems

REFUSED = {
    "a region whose prefix list is unknown": (
        "region: me-south-1",
        "network.s3_prefix_list_id",
        "lacks the id of its prefix list in me-south-1",
    ),
    "a version JumpStart never published": ("model_version: 9.9.9", "model_version", "JumpStart has no such version"),
    "a region without the artifact": (
        "region: me-central-1\nnetwork: {s3_prefix_list_id: pl-12345678}",
        "region",
        "does not publish instruct 2.0.0 there",
    ),
    "a region that does not exist": ("region: eu-west-9", "region", "in no such region"),
    "a region of GovCloud": ("region: us-gov-west-1", "region", "no Mistral 7B in AWS GovCloud (US)"),
    "weights of another region's bucket": (
        "artifact: {uri: s3://sagemaker-eu-west-1-111122223333/mistral/}",
        "artifact.uri",
        "SageMaker reads only buckets of its own region",
    ),
    "JumpStart's weights as one's own": (
        "artifact: {uri: s3://jumpstart-cache-prod-us-east-1/huggingface-llm/}",
        "artifact.uri",
        "it is JumpStart's bucket",
    ),
    "weights without the slash": ("artifact: {uri: s3://models/mistral}", "artifact.uri", "wrong form"),
    "weights in all prefixes": ("artifact: {uri: s3://models/*/}", "artifact.uri", "wrong form"),
    "weights in the whole bucket": ("artifact: {uri: s3://models/}", "artifact.uri", "wrong form"),
    "a key of weights in another region": (
        "artifact: {uri: s3://models/mistral/,"
        " kms_key_arn: 'arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef'}",
        "artifact.kms_key_arn",
        "Amazon S3 uses only keys of the bucket's region",
    ),
    "an alias for the key of the weights": (
        "artifact: {uri: s3://models/mistral/, kms_key_arn: 'arn:aws:kms:us-east-1:111122223333:alias/models'}",
        "artifact.kms_key_arn",
        "wrong form",
    ),
    "an image of another region": (
        "image: {uri: '111122223333.dkr.ecr.eu-west-1.amazonaws.com/tgi:1'}",
        "image.uri",
        "SageMaker pulls only images of its own region",
    ),
    "an image of another partition": (
        "image: {uri: '111122223333.dkr.ecr.us-east-1.amazonaws.com.cn/tgi:1'}",
        "image.uri",
        "SageMaker pulls only images of its own region",
    ),
    "an image without a tag": (
        "image: {uri: 111122223333.dkr.ecr.us-east-1.amazonaws.com/tgi}",
        "image.uri",
        "wrong form",
    ),
    "an image outside ECR": ("image: {uri: 'ghcr.io/huggingface/tgi:1.1.0'}", "image.uri", "wrong form"),
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
    "a quantization that the image lacks": ("tgi: {QUANTIZE: eetq}", "tgi.QUANTIZE", "no EETQ"),
    "more than warm-up has memory for": (
        "tgi: {MAX_BATCH_PREFILL_TOKENS: 30000}",
        "tgi.MAX_BATCH_PREFILL_TOKENS",
        "warm-up has room for a prefill of 24688 tokens on one NVIDIA A10G",
    ),
    "TGI 2's name": ("tgi: {MAX_INPUT_TOKENS: 100}", "tgi.MAX_INPUT_TOKENS", "it is TGI 2's name"),
    "the Hub's token": ("tgi: {HF_TOKEN: hf_x}", "tgi.HF_TOKEN", "nothing is asked of the Hub"),
    "an argument without use": ("tgi: {JSON_OUTPUT: true}", "tgi.JSON_OUTPUT", "makes no sense"),
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
    "a canary of one instance": ("alarms: {}\nupdates: {strategy: canary}", "updates.strategy", "there may be one"),
    "a rolling update of what scales from one instance": (
        "alarms: {}\nauto_scaling: {min_instances: 1, max_instances: 4}\nupdates: {strategy: rolling}",
        "updates.strategy",
        "there may be one",
    ),
    "an update without alarms": ("updates: {}", "updates.rollback_alarms", "there is no alarm server_errors"),
    "an update by an alarm that is left out": (
        "alarms: {without: [latency]}\nupdates: {rollback_alarms: [latency]}",
        "updates.rollback_alarms",
        "there is no alarm latency",
    ),
    "an update by an alarm of scaling without scaling": (
        "alarms: {}\nupdates: {rollback_alarms: [scaling_at_maximum]}",
        "updates.rollback_alarms",
        "there is no alarm scaling_at_maximum",
    ),
    "a linear step that is too small": (
        "alarms: {}\ninstance: {count: 4}\nupdates: {strategy: linear, batch_percent: 9}",
        "updates.batch_percent",
        "linear takes 10% or more",
    ),
    "a rolling batch that is too small": (
        "alarms: {}\ninstance: {count: 4}\nupdates: {strategy: rolling, batch_percent: 4}",
        "updates.batch_percent",
        "rolling takes 5% or more",
    ),
    "a canary of more than half the instances": (
        "alarms: {}\ninstance: {count: 3}\nupdates: {strategy: canary, batch_instances: 2}",
        "updates.batch_instances",
        "1 to 50% of the instances, of which there are 3 to 3",
    ),
    "an update that ends before its waits": (
        "alarms: {}\nupdates: {wait_seconds: 300, bake_seconds: 300, maximum_seconds: 600}",
        "updates.maximum_seconds",
        "wait_seconds and bake_seconds are 600 together",
    ),
    "a schedule below the minimum": (
        "instance: {count: 2}\nauto_scaling: {min_instances: 2, schedule: [{at: 19:00, min_instances: 1}]}",
        "auto_scaling.schedule[0]",
        "from 19:00 on it keeps 1 to 2 instances, and auto_scaling 2 to 2",
    ),
    "a schedule above the maximum": (
        "auto_scaling: {schedule: [{at: 08:00, max_instances: 3}]}",
        "auto_scaling.schedule[0]",
        "keeps 1 to 3 instances, and auto_scaling 1 to 2",
    ),
    "a schedule whose minimum is above its maximum": (
        "auto_scaling: {max_instances: 4, schedule: [{at: 08:00, min_instances: 3, max_instances: 2}]}",
        "auto_scaling.schedule[0]",
        "keeps 3 to 2 instances",
    ),
    "two changes of a schedule at one time": (
        "auto_scaling: {schedule: [{at: 08:00, days: weekdays}, {at: 08:00, days: weekends}, {at: 08:00}]}",
        "auto_scaling.schedule[2].at",
        "schedule[0] is at 08:00 of the same day, too",
    ),
    "a schedule by something else than a time of the day": (
        "auto_scaling: {schedule: [{at: 8am}]}",
        "auto_scaling.schedule[0].at",
        "it has the wrong form",
    ),
    "an unknown time zone of a schedule": (
        "auto_scaling: {time_zone: Europe/Bern}",
        "auto_scaling.time_zone",
        "the IANA database has no such time zone",
    ),
    "office hours of what scales": (
        "auto_scaling: {}\noffice_hours: {time_zone: UTC, weekdays: 08:00-19:00}",
        "office_hours",
        "cannot be combined with auto_scaling",
    ),
    "an empty tag at office hours": (
        "tags: {team: ''}\noffice_hours: {time_zone: UTC, weekdays: 08:00-19:00}",
        "tags",
        "team has no value, and the resources of office_hours",
    ),
    "an empty tag with alarms": (
        "tags: {team: ''}\nalarms: {}",
        "tags",
        "team has no value, and the resources of alarms",
    ),
    "e-mail addresses beside a topic": (
        "alarms: {emails: [a@example.com], existing_topic_arn: 'arn:aws:sns:us-east-1:111122223333:on-call'}",
        "alarms.emails",
        "they would get nothing",
    ),
    "a topic of another region": (
        "alarms: {existing_topic_arn: 'arn:aws:sns:eu-west-1:111122223333:on-call'}",
        "alarms.existing_topic_arn",
        "only to topics of their region",
    ),
    "a FIFO topic": (
        "alarms: {existing_topic_arn: 'arn:aws:sns:us-east-1:111122223333:on-call.fifo'}",
        "alarms.existing_topic_arn",
        "not the ARN of a standard topic",
    ),
    "an unknown kind of alarm": (
        "alarms: {without: [gpu_memmory]}",
        "alarms.without[0]",
        "not one of the possible values",
    ),
    "an unknown time zone": (
        "office_hours: {time_zone: Europe/Bern, weekdays: 08:00-19:00}",
        "office_hours.time_zone",
        "the IANA database has no such time zone",
    ),
    "a time zone by its abbreviation": (
        "office_hours: {time_zone: CET, weekdays: 08:00-19:00}",
        "office_hours.time_zone",
        "no such time zone",
    ),
    "hours over midnight": (
        "office_hours: {time_zone: UTC, weekdays: 19:00-08:00}",
        "office_hours.weekdays",
        "it ends before it starts",
    ),
    "hours in which it hardly starts": (
        "office_hours: {time_zone: UTC, weekdays: 08:00-09:59}",
        "office_hours.weekdays",
        "it lasts 119 minutes",
    ),
    "hours of another form": (
        "office_hours: {time_zone: UTC, weekdays: 8-19}",
        "office_hours.weekdays",
        "it has the wrong form",
    ),
    "scaling to zero": ("auto_scaling: {min_instances: 0}", "auto_scaling.min_instances", "1 or more"),
    "a VPC beyond /16": ("network: {vpc: {cidr: 10.0.0.0/8}}", "network.vpc.cidr", "/16 and /28"),
    "a CIDR with host bits": ("network: {vpc: {cidr: 10.0.0.1/16}}", "network.vpc.cidr", "has host bits set"),
    "a VPC without room": ("network: {vpc: {cidr: 10.0.0.0/28}}", "network.vpc.cidr", "room for 1 subnets of /28"),
    "zones that share a place in a small VPC": (
        "network: {vpc: {cidr: 10.0.0.0/27, availability_zones: [use1-az2, use1-az4]}}",
        "network.vpc.cidr",
        "room for 2 subnets of /28, the smallest there is, and each zone has its own place among them: "
        "use1-az2, use1-az4 do not all fit",
    ),
    "one zone": ("network: {vpc: {availability_zones: 1}}", "network.vpc.availability_zones", "2 or more"),
    "more zones than the region has": (
        "network: {vpc: {availability_zones: 4}}\nregion: eu-west-1",
        "network.vpc.availability_zones",
        "eu-west-1 has 3 known zones",
    ),
    "a zone of another region": (
        "network: {vpc: {availability_zones: [us-east-1a, us-east-2b]}}",
        "network.vpc.availability_zones",
        "us-east-2b is not a zone of us-east-1",
    ),
    "a zone's id of another region": (
        "network: {vpc: {availability_zones: [use1-az1, use2-az1]}}",
        "network.vpc.availability_zones",
        "use2-az1 is not a zone of us-east-1",
    ),
    "an id and a name": (
        "network: {vpc: {availability_zones: [use1-az1, us-east-1a]}}",
        "network.vpc.availability_zones",
        "an id and a name can be one zone",
    ),
    "an id and a name in an existing VPC": (
        "network: {existing_vpc: {vpc_id: vpc-12345678, cidr: 10.0.0.0/16,"
        " subnet_ids: [subnet-12345678, subnet-23456789], availability_zones: [use1-az1, us-east-1b]}}",
        "network.existing_vpc.availability_zones",
        "an id and a name can be one zone",
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
    "subnets too small for the instances": (
        "network: {vpc: {cidr: 10.0.0.0/27}}\ninstance: {count: 6}",
        "network.vpc.cidr",
        "its 2 subnets have 20 free addresses, and 6 instances take 24",
    ),
    "subnets too small for what scaling adds": (
        "network: {vpc: {cidr: 10.0.0.0/26}}\nauto_scaling: {max_instances: 100}",
        "network.vpc.cidr",
        "100 instances take 400",
    ),
    "a range that loops back": ("network: {vpc: {cidr: 127.0.0.0/16}}", "network.vpc.cidr", "AWS makes no VPC"),
    "a range of multicast addresses": ("network: {vpc: {cidr: 239.0.0.0/16}}", "network.vpc.cidr", "AWS makes no VPC"),
    "the range of SageMaker's own containers": (
        "network: {vpc: {cidr: 172.17.4.0/24}}",
        "network.vpc.cidr",
        "in conflict with 172.17.0.0/16",
    ),
    "another region's prefix list": (
        "network: {s3_prefix_list_id: pl-6da54004}",
        "network.s3_prefix_list_id",
        "it is S3's prefix list in eu-west-1, and not in us-east-1",
    ),
    "an id of neither 8 nor 17 digits": (
        "network: {s3_prefix_list_id: pl-0123456789}",
        "network.s3_prefix_list_id",
        "wrong form",
    ),
    "a retention CloudWatch does not know": (
        "removal: {log_retention_days: 8}",
        "removal.log_retention_days",
        "possible values",
    ),
    "an endpoint name with an underscore": ("endpoint_name: my_endpoint", "endpoint_name", "wrong form"),
    "an endpoint name of 64 letters": (f"endpoint_name: {'x' * 64}", "endpoint_name", "wrong form"),
    "an account of 11 digits": ('account: "12345678901"', "account", "not an account id"),
    "a tag of AWS's own": ('tags: {"aws:name": x}', "tags.aws:name", "AWS's own"),
    "a tag that JumpStart's identity takes": (
        'tags: {"sagemaker-sdk:jumpstart-model-id": x}',
        "tags.sagemaker-sdk:jumpstart-model-id",
        "model and model_version set it",
    ),
    "a tag's key of 128 characters, which EC2 refuses": (
        f"tags: {{{'x' * 128}: y}}",
        f"tags.{'x' * 128}",
        "127 characters or fewer",
    ),
    "a tag's value of 257 characters": (f"tags: {{team: {'x' * 257}}}", "tags.team", "256 characters or fewer"),
    "a tag with a sign that services refuse": ('tags: {team: "a&b"}', "tags.team", "wrong form"),
    "an accent by itself in a tag's key": ('tags: {"equipe\\u0301": x}', "tags.equipe\u0301", "U+0301 COMBINING"),
    "a joiner in a tag's value": ('tags: {team: "a\\u200db"}', "tags.team", "U+200D ZERO WIDTH JOINER"),
    "tags that IAM does not tell apart": ("tags: {Team: a, team: b}", "tags", "Team and team differ only in case"),
    "41 tags": (f"tags: {{{', '.join(f't{n}: x' for n in range(41))}}}", "tags", "40 entries or fewer"),
    "a role with a letter that IAM refuses": ("callers: {role_names: [émile]}", "callers.role_names[0]", "wrong form"),
    "a role by its path": ("callers: {role_names: [team/search]}", "callers.role_names[0]", "wrong form"),
    "a role of 65 letters": (f"callers: {{role_names: [{'x' * 65}]}}", "callers.role_names[0]", "wrong form"),
    "a role twice in another case": ("callers: {role_names: [Search, search]}", "callers.role_names", "one role"),
    "a target that is next to nothing": (
        "auto_scaling: {target_concurrent_requests: 1.0e-300}",
        "auto_scaling.target_concurrent_requests",
        "0.1 or more",
    ),
    "a share of captured requests above all": (
        "data_capture: {sampling_percentage: 101}",
        "data_capture.sampling_percentage",
        "100 or less",
    ),
    "a capture mode that there is not": ("data_capture: {modes: [Both]}", "data_capture.modes[0]", "possible values"),
    "captured requests that expire at once": (
        "data_capture: {retention_days: 0}",
        "data_capture.retention_days",
        "1 or more",
    ),
    "a limit on callers of which there are none": (
        "callers: {only_from_vpc: true}",
        "callers.only_from_vpc",
        "which is empty",
    ),
    "callers in the VPC without a way": (
        "callers: {role_names: [search], only_from_vpc: true}\nnetwork: {runtime_endpoint: false}",
        "callers.only_from_vpc",
        "nothing in the VPC reaches the runtime",
    ),
    "a key of another region": (
        "encryption: {kms_key_arn: arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef}",
        "encryption.kms_key_arn",
        "only keys of its own region",
    ),
    "a key of another account": (
        'account: "444455556666"\n'
        "encryption: {kms_key_arn: arn:aws:kms:us-east-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef}",
        "encryption.kms_key_arn",
        "it is a key of account 111122223333",
    ),
    "no instance": ("instance: {count: 0}", "instance.count", "1 or more"),
    "a maximum below the minimum": (
        "auto_scaling: {min_instances: 3, max_instances: 2}",
        "auto_scaling.max_instances",
        "below min_instances, 3",
    ),
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


def test_a_wrong_region_and_type_are_refused_beside_a_wrong_version_and_nothing_else(problems: Problems) -> None:
    text = "region: us-esat-1\nmodel_version: 9.9.9\ninstance: {type: ml.g5.2xlrge}\n"
    assert set(problems(text)) == {"region", "model_version", "instance.type"}


def test_a_target_below_a_raised_limit_is_accepted(load: Load) -> None:
    env = load(
        "region: us-east-1\ntgi: {MAX_CONCURRENT_REQUESTS: 256}\nauto_scaling: {target_concurrent_requests: 200}\n"
    )
    assert env.auto_scaling is not None


@pytest.mark.parametrize("zones", [("us-west-1b", "us-west-1c"), ("usw1-az3", "usw1-az1")])
def test_listed_zones_are_used_as_they_are(zones: tuple[str, str], load: Load) -> None:
    env = load(f"region: us-west-1\nnetwork: {{vpc: {{availability_zones: [{', '.join(zones)}]}}}}\n")
    assert env.availability_zones == zones


def test_a_count_of_zones_takes_those_that_offer_the_instance_type_first(load: Load) -> None:
    assert load("region: us-east-1\n").availability_zones == ("use1-az1", "use1-az2")
    five = load("region: us-east-1\nnetwork: {vpc: {availability_zones: 5}}\n").availability_zones
    assert five == ("use1-az1", "use1-az2", "use1-az4", "use1-az5", "use1-az6")


def test_a_count_of_zones_follows_the_instance_type_of_the_file(load: Load) -> None:
    text = "region: us-east-1\nnetwork: {vpc: {availability_zones: 4}}\ninstance: {type: ml.p4d.24xlarge}\n"
    assert load(text).availability_zones == ("use1-az1", "use1-az2", "use1-az4", "use1-az6")


def test_all_the_zones_of_a_region_can_be_had(load: Load) -> None:
    env = load("region: us-east-1\nnetwork: {vpc: {availability_zones: 6}}\n")
    assert env.availability_zones[-1] == "use1-az3"


def test_a_zone_of_another_region_is_refused_with_the_regions_own(problems: Problems) -> None:
    text = "region: eu-west-1\nnetwork: {vpc: {availability_zones: [euw1-az1, use1-az2]}}"
    assert problems(text)["network.vpc.availability_zones"].fix == "use euw1-az1, euw1-az2, euw1-az3"


def test_zones_with_places_of_their_own_fit_into_the_smallest_vpc(load: Load) -> None:
    env = load("region: us-east-1\nnetwork: {vpc: {cidr: 10.0.0.0/27, availability_zones: [use1-az4, use1-az5]}}\n")
    assert env.availability_zones == ("use1-az4", "use1-az5")


def test_scripts_other_than_latin_are_tags(load: Load) -> None:
    assert load('region: us-east-1\ntags: {"équipe": "検索 ١"}\n').tags == {"équipe": "検索 ١"}


def test_instances_that_fill_their_subnets_are_accepted(load: Load) -> None:
    assert load("region: us-east-1\nnetwork: {vpc: {cidr: 10.0.0.0/27}}\ninstance: {count: 5}\n").instance.count == 5


def test_a_prefix_list_of_ones_own_is_accepted(load: Load) -> None:
    env = load("region: us-east-1\nnetwork: {s3_prefix_list_id: pl-0123456789abcdef0}\n")
    assert env.network.s3_prefix_list_id == "pl-0123456789abcdef0"


def test_an_environment_whose_name_ends_in_a_hyphen_is_refused(tmp_path: Path) -> None:
    (tmp_path / "dev-.yaml").write_text("region: us-east-1\n")
    with pytest.raises(EnvironmentFileError, match="from a letter to a letter or digit"):
        load_environment(tmp_path, "dev-")


def test_an_existing_vpc_may_have_the_range_of_sagemakers_containers(load: Load) -> None:
    env = load(
        "region: us-east-1\nnetwork: {existing_vpc: {vpc_id: vpc-12345678, cidr: 172.17.0.0/16,"
        " subnet_ids: [subnet-12345678, subnet-23456789], availability_zones: [us-east-1a, us-east-1b]}}\n"
    )
    assert env.network.existing_vpc is not None
