"""Rules across fields: what the catalogue, the container's start-up and AWS would refuse later is refused here.

A rule names the fields that it reads, and is left out where one of them is wrong already. It yields a `Finding` for
each thing that it objects to. docs/constraints.md lists the rules by their docstrings.
"""

import ipaddress
import re
from collections.abc import Iterator
from math import ceil

from mistral7b import catalog
from mistral7b.environment.schema import DAYS, Environment
from mistral7b.tgi import LauncherError, LauncherSettings, parse_environment
from mistral7b.yamlfile import Finding, Rulebook, with_guess

RULES = Rulebook[Environment]()
Findings = Iterator[Finding]

MODEL_FOLDER = "/opt/ml/model"
# Smallest subnet of a VPC, and the addresses of a subnet that AWS keeps (Amazon VPC user guide, subnet sizing).
SMALLEST_SUBNET, KEPT_ADDRESSES = 28, 5
# The VPC is cut into 2^3 subnets, or into the smallest ones (`sagemaker_tgi.IsolatedVpc`).
SUBNET_BITS = 3
# Private addresses of an instance (SageMaker developer guide, "Ensure That Subnets Have Enough IP Addresses"), and how
# many fleets there are during an update: the old instances serve until the new ones do.
ADDRESSES_PER_INSTANCE, FLEETS = 2, 2


@RULES.rule("model", "model_version")
def _version_exists(env: Environment) -> Findings:
    """The version is one that JumpStart has published. Source: JumpStart."""
    model = catalog.model(env.model)
    known = [version.version for version in model.versions]
    if env.model_version is not None and env.model_version not in known:
        fix = f"use one of {', '.join(known)}; the default is {model.default_version.version}"
        reason = f"JumpStart has no such version of {env.model} for the TGI container"
        yield Finding("model_version", reason, with_guess(env.model_version, known, fix))


@RULES.rule("region")
def _region_is_known(env: Environment) -> Findings:
    """The version's artifact is published in the region, and the message lists where it is. Source: JumpStart."""
    known = catalog.regions()
    fix = f"use one of {', '.join(known)}"
    if env.region.startswith("us-gov-"):
        yield Finding("region", "JumpStart publishes no Mistral 7B in AWS GovCloud (US)", fix)
    elif env.region not in known:
        yield Finding("region", "JumpStart publishes Mistral 7B in no such region", with_guess(env.region, known, fix))


@RULES.rule("region", "model", "model_version", "artifact")
def _artifact_is_in_the_region(env: Environment) -> Findings:
    """The version's artifact is published in the region, and the message lists where it is. Source: JumpStart."""
    if env.artifact is None and env.region not in env.version.regions:
        fix = f"use one of {', '.join(env.version.regions)}; or a model_version that is (`mistral7b models` lists them)"
        yield Finding("region", f"JumpStart does not publish {env.model} {env.version.version} there", fix)


@RULES.rule("artifact", "image", "region")
def _own_weights_and_image_are_in_the_region(env: Environment) -> Findings:
    """Your own weights, their key and your image are in the environment's region, as far as a bucket's name tells;
    JumpStart's weights go by `model_version`. Source: SageMaker API, ContainerDefinition.
    """
    suffix, fix = ".cn" if env.region.startswith("cn-") else "", f"use one in {env.region}, to which you copy it"
    if env.image and f".dkr.ecr.{env.region}.amazonaws.com{suffix}/" not in env.image.uri:
        yield Finding("image.uri", "SageMaker pulls only images of its own region", fix)
    if env.artifact is None:
        return
    bucket, key = env.artifact.uri.split("/")[2], env.artifact.kms_key_arn
    if bucket.startswith("jumpstart-cache-prod-"):
        yield Finding("artifact.uri", "it is JumpStart's bucket", "remove artifact, and set model and model_version")
    if re.fullmatch(r"sagemaker-[a-z0-9-]+-\d{12}", bucket) and not bucket.startswith(f"sagemaker-{env.region}-"):
        yield Finding("artifact.uri", "SageMaker reads only buckets of its own region", fix)
    if key and not key.startswith(f"arn:{catalog.partition(env.region)}:kms:{env.region}:"):
        yield Finding("artifact.kms_key_arn", "Amazon S3 uses only keys of the bucket's region", fix)


@RULES.rule("instance.type")
def _instance_type_is_known(env: Environment) -> Findings:
    """The version is offered on the instance type. Source: JumpStart."""
    known = [t.name for t in catalog.instance_types()]
    if env.instance.type is not None and env.instance.type not in known:
        fix = with_guess(env.instance.type, known, f"use one of {', '.join(known)}")
        yield Finding("instance.type", "Mistral 7B is not offered on it", fix)


@RULES.rule("instance.type", "model", "model_version")
def _instance_type_runs_the_version(env: Environment) -> Findings:
    """The version is offered on the instance type. Source: JumpStart."""
    if env.instance_type not in env.version.supported_instance_types:
        reason = f"JumpStart does not offer {env.model} {env.version.version} on it"
        yield Finding("instance.type", reason, f"use one of {', '.join(env.version.supported_instance_types)}")


@RULES.rule("tgi", "instance.type", "model", "model_version")
def container_starts(env: Environment) -> Findings:
    """The container's launcher accepts its environment: any rule of the launcher, on loading the file. Source: TGI
    1.1.0, launcher.

    Weights in half precision take no `gptq`, `awq` or `eetq`. Source: TGI 1.1.0, server.

    Warm-up has memory for `MAX_BATCH_PREFILL_TOKENS`, and the KV cache holds `MAX_TOTAL_TOKENS`. Source: TGI 1.1.0,
    router.
    """
    try:
        parse_environment(env.container_environment(), gpu=catalog.instance_type(env.instance_type).gpu)
    except LauncherError as error:
        for problem in error.problems:
            yield Finding(f"tgi.{problem.variable}", problem.reason, problem.fix, problem.value)


@RULES.rule("tgi.SM_NUM_GPUS", "instance.type", "model", "model_version")
def _every_gpu_is_used(env: Environment) -> Findings:
    """`SM_NUM_GPUS` is the number of GPUs of the instance type. Source: TGI 1.1.0, entry point."""
    gpus, shards = catalog.instance_type(env.instance_type).gpus, env.container_environment()["SM_NUM_GPUS"]
    if shards != str(gpus):
        reason = f"{env.instance_type} has {gpus} GPU{'s' if gpus > 1 else ''}"
        yield Finding("tgi.SM_NUM_GPUS", reason, f"set it to {gpus}, or leave it out")


@RULES.rule("tgi.HF_MODEL_ID")
def _weights_come_with_the_model(env: Environment) -> Findings:
    """The weights come with the model: an isolated container cannot download any. Source: SageMaker,
    EnableNetworkIsolation.
    """
    if env.tgi.hf_model_id not in (None, MODEL_FOLDER):
        reason = "the container has no network, so it cannot download a model; SageMaker puts the weights in "
        yield Finding("tgi.HF_MODEL_ID", reason + MODEL_FOLDER, f"leave it out, or set it to {MODEL_FOLDER}")


@RULES.rule("auto_scaling.min_instances", "auto_scaling.max_instances")
def _bounds_are_in_order(env: Environment) -> Findings:
    """One instance at least, as an endpoint does not scale to zero; the maximum above the minimum. Source: Application
    Auto Scaling, SageMaker.
    """
    low, high = env.instance_bounds
    if low > high:
        yield Finding("auto_scaling.max_instances", f"it is below min_instances, {low}", f"set it to {low} or more")


@RULES.rule("auto_scaling.min_instances", "auto_scaling.max_instances", "instance.count")
def _count_is_within_bounds(env: Environment) -> Findings:
    """The count to begin with is within the bounds. Source: Application Auto Scaling API."""
    low, high = env.instance_bounds
    if not low <= env.instance.count <= high:
        reason = f"auto scaling keeps between {low} and {high} instances"
        yield Finding("instance.count", reason, f"set it to between {low} and {high}")


@RULES.rule("auto_scaling.schedule", "auto_scaling.min_instances", "auto_scaling.max_instances")
def _schedule_is_within_bounds(env: Environment) -> Findings:
    """Bounds by schedule in order and within those of the section, for which quotas and addresses are checked; no two
    entries at one time. Source: Application Auto Scaling user guide, scheduled scaling.
    """
    scaling, (low, high), seen = env.auto_scaling, env.instance_bounds, dict[tuple[str, int], int]()
    if scaling is None:
        return
    for index, entry in enumerate(scaling.schedule):
        field, bounds = f"auto_scaling.schedule.{index}", scaling.bounds_at(entry)
        if not low <= bounds[0] <= bounds[1] <= high:
            reason = (
                f"from {entry.at} on it keeps {bounds[0]} to {bounds[1]} instances, and auto_scaling {low} to {high}"
            )
            yield Finding(field, reason, f"use {low} <= min_instances <= max_instances <= {high}", None)
        others = {seen.setdefault((entry.at, day), index) for day in DAYS[entry.days]} - {index}
        if others:
            reason = f"schedule[{min(others)}] is at {entry.at} of the same day, too"
            yield Finding(f"{field}.at", reason, "give it another time, or other days")


@RULES.rule("auto_scaling.target_concurrent_requests", "tgi.MAX_CONCURRENT_REQUESTS", "model", "model_version")
def _scaling_starts_before_refusals(env: Environment) -> Findings:
    """A target that can be reached: 0.1 or more, and no more than an instance takes. (The API begins at 8.5e-109.).
    Source: Application Auto Scaling API, TargetValue.
    """
    limit: int | None = env.tgi.max_concurrent_requests
    if limit is None:
        limit = LauncherSettings.model_fields["max_concurrent_requests"].default
    if env.auto_scaling is not None and env.auto_scaling.target_concurrent_requests > limit:
        yield Finding(
            "auto_scaling.target_concurrent_requests",
            f"an instance refuses requests beyond MAX_CONCURRENT_REQUESTS, {limit}, so nothing would ever scale out",
            f"set it to {limit} or less, or raise tgi.MAX_CONCURRENT_REQUESTS",
        )


@RULES.rule("updates", "alarms", "office_hours", "instance.count", "auto_scaling")
def _updates_can_be_made(env: Environment) -> Findings:
    """A canary, a linear step (from 10%) or a rolling batch (from 5%) is up to half of the instances, so of two or
    more; an update may last longer than it waits; its alarms exist. Source: SageMaker API, TrafficRoutingConfig,
    BlueGreenUpdatePolicy, RollingUpdatePolicy, AutoRollbackConfig.
    """
    updates, (fewest, most) = env.updates, env.instance_bounds
    if updates is None:
        return
    made = {*env.alarm_thresholds} - (set() if env.auto_scaling else {"scaling_at_maximum"})
    if missing := [kind for kind in updates.rollback_alarms if kind not in made]:
        yield Finding("updates.rollback_alarms", f"there is no alarm {missing[0]}", "set `alarms`, or leave it out")
    waits = updates.wait_seconds + updates.bake_seconds
    if updates.maximum_seconds and updates.maximum_seconds <= waits:
        reason, fix = f"wait_seconds and bake_seconds are {waits} together", f"set it above {waits}"
        yield Finding("updates.maximum_seconds", reason, fix)
    low = {"all_at_once": 0, "canary": 1, "linear": 10, "rolling": 5}[updates.strategy]
    if low and fewest < 2:
        fix = f"use all_at_once, or set {'auto_scaling.min_instances' if env.auto_scaling else 'instance.count'} to 2"
        yield Finding("updates.strategy", "a batch is at most half of the instances, and there may be one", fix)
    elif updates.batch_percent < low and not updates.batch_instances:
        yield Finding("updates.batch_percent", f"{updates.strategy} takes {low}% or more", f"set it to {low}")
    elif low and updates.batch_instances and not ceil(most * low / 100) <= updates.batch_instances <= fewest // 2:
        reason = f"it has to be {low} to 50% of the instances, of which there are {fewest} to {most}"
        yield Finding("updates.batch_instances", reason, "use batch_percent, or another number")


@RULES.rule("office_hours", "auto_scaling")
def _what_sleeps_does_not_scale(env: Environment) -> Findings:
    """Office hours only without auto scaling, which ends with the endpoint. Source: SageMaker API, DeleteEndpoint."""
    if env.office_hours is not None and env.auto_scaling is not None:
        reason = "it cannot be combined with auto_scaling, which ends when the endpoint is deleted for the night"
        yield Finding("office_hours", reason, "set auto_scaling: null, or remove office_hours")


@RULES.rule("office_hours", "alarms", "dashboard", "tags")
def _tags_have_values_where_they_must(env: Environment) -> Findings:
    """No empty tag with office hours, alarms or a dashboard, whose resources take none. Source: EventBridge Scheduler
    API, TagValue; CloudFormation's schema of AWS::CloudWatch::Alarm.
    """
    needy = next((name for name in ("office_hours", "alarms", "dashboard") if getattr(env, name)), None)
    if needy and (empty := [key for key, value in env.tags.items() if not value]):
        reason = f"{empty[0]} has no value, and the resources of {needy} take no such tag"
        yield Finding("tags", reason, "give it a value, or remove one of the two", None)


@RULES.rule("alarms", "region")
def _alarms_go_to_one_topic_of_the_region(env: Environment) -> Findings:
    """An existing topic of the environment's region, or e-mail addresses for a new one. Source: CloudWatch API,
    PutMetricAlarm, AlarmActions.
    """
    topic = env.alarms.existing_topic_arn if env.alarms else None
    if env.alarms is None or topic is None:
        return
    if env.alarms.emails:
        fix = "subscribe them to the existing topic yourself, or remove one of the two"
        yield Finding("alarms.emails", "they would get nothing: alarms go to existing_topic_arn", fix)
    beginning = f"arn:{catalog.partition(env.region)}:sns:{env.region}:"
    if not topic.startswith(beginning):
        fix = f"use a topic whose ARN begins with {beginning}"
        yield Finding("alarms.existing_topic_arn", "alarms publish only to topics of their region", fix)


@RULES.rule("callers", "network")
def _callers_in_the_vpc_exist_and_reach_the_runtime(env: Environment) -> Findings:
    """Callers that are held to the VPC exist, and have a way. Source: this project."""
    if env.callers.only_from_vpc and not env.callers.role_names:
        fix = "name the roles in callers.role_names, or remove it"
        yield Finding("callers.only_from_vpc", "it applies to callers.role_names, which is empty", fix)
    elif env.callers.only_from_vpc and not env.network.runtime_endpoint and env.network.existing_vpc is None:
        reason = "network.runtime_endpoint is false, so nothing in the VPC reaches the runtime"
        yield Finding("callers.only_from_vpc", reason, "set network.runtime_endpoint to true, or remove one of the two")


@RULES.rule("encryption", "account", "region")
def _key_is_of_region_and_account(env: Environment) -> Findings:
    """A key is named by its ARN and is of the environment's region and account. Source: CloudWatch Logs,
    AssociateKmsKey.
    """
    if env.encryption.kms_key_arn is None:
        return
    _, partition, _, region, account, _ = env.encryption.kms_key_arn.split(":", 5)
    own = catalog.partition(env.region)
    if (partition, region) != (own, env.region):
        fix = f"use a key whose ARN begins with arn:{own}:kms:{env.region}:"
        yield Finding("encryption.kms_key_arn", "CloudWatch Logs uses only keys of its own region", fix)
    if env.account is not None and account != env.account:
        reason = f"it is a key of account {account}, and the log groups are in {env.account}"
        yield Finding("encryption.kms_key_arn", reason, f"use a key of {env.account}")


@RULES.rule("network")
def _one_vpc(env: Environment) -> Findings:
    """An existing VPC by ids of 8 or 17 digits, each once, with a zone for each subnet; a new VPC or an existing one.
    Source: EC2 user guide, resource IDs.
    """
    vpc = env.network.existing_vpc
    if vpc is None:
        return
    if env.network.vpc is not None:
        fix = "remove one of them (`vpc: null` cancels what common.yaml sets)"
        yield Finding("network.vpc", "both network.vpc and network.existing_vpc are set", fix)
    if len(vpc.availability_zones) != len(vpc.subnet_ids):
        reason = f"there are {len(vpc.subnet_ids)} subnet_ids and {len(vpc.availability_zones)} zones"
        fix = "give the zone of each subnet, in the same order"
        yield Finding("network.existing_vpc.availability_zones", reason, fix)
    for name, ids in (("subnet_ids", vpc.subnet_ids), ("route_table_ids", vpc.route_table_ids)):
        if len(set(ids)) < len(ids):
            yield Finding(f"network.existing_vpc.{name}", "it has an id twice", "name each once")


@RULES.rule("network.vpc", "network.existing_vpc", "region")
def _zones_are_of_the_region(env: Environment) -> Findings:
    """Subnets in two zones at least, of the region, each zone once, all by id or all by name; names are of other zones
    in other accounts. Source: SageMaker developer guide, VPC.

    Zones are given, as a look-up would need credentials at synth. Source: CDK.
    """
    field = f"network.{'existing_vpc' if env.network.existing_vpc else 'vpc'}.availability_zones"
    known = catalog.availability_zones(env.region)
    if env.own_vpc is not None and isinstance(env.own_vpc.availability_zones, int):
        if env.own_vpc.availability_zones > len(known):
            have = f"has {len(known)} known zones" if known else "has zones that differ between accounts"
            fix = f"list two or more; `aws ec2 describe-availability-zones --region {env.region}` shows their ids"
            yield Finding(field, f"{env.region} {have}", fix, env.own_vpc.availability_zones)
        return
    zones = env.availability_zones
    numbers = {zone: catalog.zone_number(env.region, zone) for zone in zones}
    for zone in (zone for zone, number in numbers.items() if number is None):
        fix = f"use {', '.join(known)}" if known else f"use ids such as use1-az1, or names such as {env.region}a"
        yield Finding(field, f"{zone} is not a zone of {env.region}", fix)
    if len({zone[-1].isdigit() for zone, number in numbers.items() if number}) > 1:
        yield Finding(field, "an id and a name can be one zone", "use only ids, or only names")
    if len(numbers) < 2 or (env.own_vpc is not None and len(numbers) < len(zones)):
        reason = "it takes two zones at least, each named once, to survive the loss of one"
        yield Finding(field, reason, "name different zones")


@RULES.rule("network.vpc", "region", "instance.type", "model", "model_version")
def _subnets_fit(env: Environment) -> Findings:
    """A VPC from /16 to /28, with room for its subnets of /28 or larger; each zone has its own range, whatever other
    zones are used. Source: Amazon VPC user guide, sizing.
    """
    if env.own_vpc is None:
        return
    prefix = ipaddress.IPv4Network(env.own_vpc.cidr).prefixlen
    ranges = 1 << min(SUBNET_BITS, SMALLEST_SUBNET - prefix)
    numbers = {number for zone in env.availability_zones if (number := catalog.zone_number(env.region, zone))}
    if len({number % ranges for number in numbers}) < len(numbers):
        yield Finding(
            "network.vpc.cidr",
            f"it has room for {ranges} subnets of /{SMALLEST_SUBNET}, the smallest there is, and each zone has its "
            f"own place among them: {', '.join(env.availability_zones)} do not all fit",
            f"use a /{SMALLEST_SUBNET - SUBNET_BITS} or larger",
        )


@RULES.rule("network", "region", "instance", "auto_scaling", "model", "model_version")
def _addresses_suffice(env: Environment) -> Findings:
    """Two addresses for each instance, twice during an update; AWS keeps five of each subnet. Source: SageMaker
    developer guide, "Ensure That Subnets Have Enough IP Addresses".
    """
    if env.own_vpc is None:
        return
    instances, zones = max(env.instance.count, env.instance_bounds[1]), len(env.availability_zones)
    needed = instances * ADDRESSES_PER_INSTANCE * FLEETS
    network = ipaddress.IPv4Network(env.own_vpc.cidr)
    free = zones * free_addresses(network, runtime_endpoint=env.network.runtime_endpoint)
    if needed > free:
        yield Finding(
            "network.vpc.cidr",
            f"its {zones} subnets have {free} free addresses, and {instances} instances take {needed}: "
            f"{ADDRESSES_PER_INSTANCE} each, and as many again during an update",
            "use a larger range, such as 10.0.0.0/16, more zones or fewer instances",
        )


def free_addresses(vpc: ipaddress.IPv4Network, *, runtime_endpoint: bool) -> int:
    """Addresses that one subnet of a new VPC has for instances."""
    prefix = min(vpc.prefixlen + SUBNET_BITS, SMALLEST_SUBNET)
    return (1 << (32 - prefix)) - KEPT_ADDRESSES - int(runtime_endpoint)


@RULES.rule("network.s3_prefix_list_id", "region")
def _s3_prefix_list_is_of_the_region(env: Environment) -> Findings:
    """The prefix list is known, and is not that of another region. Source: EC2 API, DescribePrefixLists."""
    given, own = env.network.s3_prefix_list_id, catalog.s3_prefix_list_id(env.region)
    if given is None and own is None:
        yield Finding(
            "network.s3_prefix_list_id",
            f"the model may reach only S3, and the catalogue lacks the id of its prefix list in {env.region}",
            "set it to the PrefixListId that this prints: aws ec2 describe-prefix-lists "
            f"--region {env.region} --filters Name=prefix-list-name,Values=com.amazonaws.{env.region}.s3",
        )
    elsewhere = [region for region in catalog.regions() if given and catalog.s3_prefix_list_id(region) == given]
    if elsewhere and own not in (None, given):
        reason = f"it is S3's prefix list in {' and '.join(elsewhere)}, and not in {env.region}"
        yield Finding("network.s3_prefix_list_id", reason, f"leave it out: the default is {own}")
