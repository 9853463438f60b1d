"""Rules across fields: what the catalogue, the container's start-up and AWS would refuse later is refused here.

A rule names the fields it reads, so that it is left out where one of them is wrong already, and yields one `Finding`
for each thing it objects to.
"""

import ipaddress
import string
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mistral7b import catalog
from mistral7b.environment.problem import FieldPath
from mistral7b.environment.schema import Environment
from mistral7b.environment.suggest import nearest
from mistral7b.tgi import LauncherError, LauncherSettings, parse_environment

MODEL_FOLDER = "/opt/ml/model"
# Smallest subnet of a VPC: /28.
SMALLEST_SUBNET = 28


@dataclass(frozen=True)
class Finding:
    """What a rule objects to: the field to change, its value, why and how."""

    field: FieldPath
    value: Any
    reason: str
    fix: str


Rule = Callable[[Environment], Iterator[Finding]]
RULES: list[tuple[tuple[FieldPath, ...], Rule]] = []


def _rule(*reads: str) -> Callable[[Rule], Rule]:
    def register(rule: Rule) -> Rule:
        RULES.append((tuple(tuple(r.split(".")) for r in reads), rule))
        return rule

    return register


def check(environment: Environment, wrong: Iterable[FieldPath] = ()) -> Iterator[Finding]:
    """Everything the rules object to, leaving out rules that read a field of `wrong` (or one inside, or around it)."""
    wrong = tuple(wrong)
    for reads, rule in RULES:
        if not any(_overlap(read, bad) for read in reads for bad in wrong):
            yield from rule(environment)


def _overlap(a: FieldPath, b: FieldPath) -> bool:
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]


@_rule("model", "model_version")
def _version_exists(env: Environment) -> Iterator[Finding]:
    known = [v.version for v in catalog.model(env.model).versions]
    if env.model_version is not None and env.model_version not in known:
        yield Finding(
            ("model_version",),
            env.model_version,
            f"JumpStart has no such version of {env.model} on TGI",
            f"use one of {', '.join(known)}",
        )


@_rule("region")
def _region_is_known(env: Environment) -> Iterator[Finding]:
    if env.region not in _regions():
        guess = nearest(env.region, _regions())
        yield Finding(
            ("region",),
            env.region,
            "JumpStart publishes Mistral 7B in no such region",
            (f"did you mean {guess}? " if guess else "") + f"There are {', '.join(_regions())}",
        )


@_rule("region", "model", "model_version")
def _region_has_the_artifact(env: Environment) -> Iterator[Finding]:
    if _version_is_known(env) and env.region in _regions() and env.region not in env.version.regions:
        yield Finding(
            ("region",),
            env.region,
            f"JumpStart does not publish {env.model} {env.version.version} there",
            f"use one of {', '.join(env.version.regions)}; or a model_version that is (`mistral7b models` lists them)",
        )


@_rule("instance.type")
def _instance_type_is_known(env: Environment) -> Iterator[Finding]:
    known = [t.name for t in catalog.instance_types()]
    if env.instance.type is not None and env.instance.type not in known:
        guess = nearest(env.instance.type, known)
        yield Finding(
            ("instance", "type"),
            env.instance.type,
            "Mistral 7B is not offered on it",
            (f"did you mean {guess}? " if guess else "") + f"There are {', '.join(known)}",
        )


@_rule("instance.type", "model", "model_version")
def _instance_type_runs_the_model(env: Environment) -> Iterator[Finding]:
    if not (_version_is_known(env) and env.instance_type in [t.name for t in catalog.instance_types()]):
        return
    if env.instance_type not in env.version.supported_instance_types:
        yield Finding(
            ("instance", "type"),
            env.instance_type,
            f"JumpStart does not offer {env.model} {env.version.version} on it",
            f"use one of {', '.join(env.version.supported_instance_types)}",
        )


@_rule("tgi", "instance.type", "model", "model_version")
def _container_starts(env: Environment) -> Iterator[Finding]:
    if not _version_is_known(env):
        return
    try:
        parse_environment(env.container_environment())
    except LauncherError as error:
        for problem in error.problems:
            yield Finding(("tgi", problem.variable), problem.value, problem.reason, problem.fix)


@_rule("tgi.SM_NUM_GPUS", "instance.type", "model", "model_version")
def _every_gpu_is_used(env: Environment) -> Iterator[Finding]:
    if not _version_is_known(env) or env.instance_type not in env.version.supported_instance_types:
        return
    gpus, shards = catalog.instance_type(env.instance_type).gpus, env.container_environment()["SM_NUM_GPUS"]
    if shards != str(gpus):
        yield Finding(
            ("tgi", "SM_NUM_GPUS"),
            int(shards),
            f"{env.instance_type} has {gpus} GPU{'s' if gpus > 1 else ''}",
            f"set it to {gpus}, or leave it out",
        )


@_rule("tgi.HF_MODEL_ID")
def _weights_come_with_the_model(env: Environment) -> Iterator[Finding]:
    model_id = env.tgi.to_environment().get("HF_MODEL_ID", MODEL_FOLDER)
    if model_id != MODEL_FOLDER:
        yield Finding(
            ("tgi", "HF_MODEL_ID"),
            model_id,
            "the container has no network, so it cannot download a model; SageMaker puts the weights in "
            + MODEL_FOLDER,
            f"leave it out, or set it to {MODEL_FOLDER}",
        )


@_rule("tgi.HF_MODEL_QUANTIZE", "tgi.QUANTIZE")
def _weights_are_not_quantized(env: Environment) -> Iterator[Finding]:
    for variable in ("HF_MODEL_QUANTIZE", "QUANTIZE"):
        method = env.tgi.to_environment().get(variable)
        if method in ("gptq", "awq"):
            yield Finding(
                ("tgi", variable),
                method,
                "it needs weights that were quantized that way, and JumpStart's are in half precision",
                "use bitsandbytes, bitsandbytes-nf4 or bitsandbytes-fp4, or leave it out",
            )


@_rule("network")
def _one_vpc(env: Environment) -> Iterator[Finding]:
    if env.network.vpc is not None and env.network.existing_vpc is not None:
        yield Finding(
            ("network", "vpc"),
            None,
            "both network.vpc and network.existing_vpc are set",
            "remove one of them (`vpc: null` takes back what common.yaml sets)",
        )


@_rule("network", "region")
def _zones_are_of_the_region(env: Environment) -> Iterator[Finding]:
    section = "existing_vpc" if env.network.existing_vpc else "vpc"
    field: FieldPath = ("network", section, "availability_zones")
    if env.own_vpc is not None and isinstance(env.own_vpc.availability_zones, int):
        wanted, known = env.own_vpc.availability_zones, catalog.availability_zones(env.region)
        if env.region in _regions() and wanted > len(known):
            have = f"has {len(known)} known zones" if known else "has zones that differ between accounts"
            yield Finding(
                field,
                wanted,
                f"{env.region} {have}",
                f'name the zones: ["{env.region}a", "{env.region}b"]; '
                f"`aws ec2 describe-availability-zones --region {env.region}` lists yours",
            )
        return
    zones = env.availability_zones
    for zone in dict.fromkeys(zones):
        if zone[:-1] != env.region or zone[-1] not in string.ascii_lowercase:
            yield Finding(field, list(zones), f"{zone} is no zone of {env.region}", f"use names such as {env.region}a")
    if len(set(zones)) < 2 or (env.own_vpc is not None and len(set(zones)) < len(zones)):
        yield Finding(
            field,
            list(zones),
            "it takes two zones at least, each named once, to survive the loss of one",
            "name different zones",
        )


@_rule("network.s3_prefix_list_id", "region")
def _s3_prefix_list_is_known(env: Environment) -> Iterator[Finding]:
    known = env.network.s3_prefix_list_id or catalog.s3_prefix_list_id(env.region)
    if env.region in _regions() and known is None:
        yield Finding(
            ("network", "s3_prefix_list_id"),
            None,
            f"the id of S3's prefix list in {env.region} is not in the catalogue, and the model may reach S3 alone",
            "set it to the PrefixListId that this prints: aws ec2 describe-prefix-lists "
            f"--region {env.region} --filters Name=prefix-list-name,Values=com.amazonaws.{env.region}.s3",
        )


@_rule("network.vpc", "region")
def _subnets_fit(env: Environment) -> Iterator[Finding]:
    if env.own_vpc is None:
        return
    prefix, count = ipaddress.IPv4Network(env.own_vpc.cidr).prefixlen, len(env.availability_zones)
    if prefix + max(count - 1, 0).bit_length() > SMALLEST_SUBNET:
        yield Finding(
            ("network", "vpc", "cidr"),
            env.own_vpc.cidr,
            f"it has no room for {count} subnets of /{SMALLEST_SUBNET}, the smallest there is",
            f"use a /{SMALLEST_SUBNET - max(count - 1, 0).bit_length()} or larger",
        )


@_rule("network.existing_vpc")
def _each_subnet_has_its_zone(env: Environment) -> Iterator[Finding]:
    vpc = env.network.existing_vpc
    if vpc is None:
        return
    if len(vpc.availability_zones) != len(vpc.subnet_ids):
        yield Finding(
            ("network", "existing_vpc", "availability_zones"),
            vpc.availability_zones,
            f"there are {len(vpc.subnet_ids)} subnet_ids and {len(vpc.availability_zones)} zones",
            "give the zone of each subnet, in the same order",
        )
    for name in ("subnet_ids", "route_table_ids"):
        ids: list[str] = getattr(vpc, name)
        if len(set(ids)) < len(ids):
            yield Finding(("network", "existing_vpc", name), ids, "an id stands in it twice", "name each once")


@_rule("auto_scaling.min_instances", "auto_scaling.max_instances")
def _bounds_are_in_order(env: Environment) -> Iterator[Finding]:
    scaling = env.auto_scaling
    if scaling is not None and scaling.min_instances > scaling.max_instances:
        yield Finding(
            ("auto_scaling", "max_instances"),
            scaling.max_instances,
            f"it is below min_instances, {scaling.min_instances}",
            f"set it to {scaling.min_instances} or more",
        )


@_rule("auto_scaling.min_instances", "auto_scaling.max_instances", "instance.count")
def _instances_are_within_bounds(env: Environment) -> Iterator[Finding]:
    scaling = env.auto_scaling
    if scaling is None or scaling.min_instances > scaling.max_instances:
        return
    low, high = scaling.min_instances, scaling.max_instances
    if not low <= env.instance.count <= high:
        yield Finding(
            ("instance", "count"),
            env.instance.count,
            f"auto scaling keeps between {low} and {high} instances",
            f"set it to between {low} and {high}",
        )


@_rule("auto_scaling.target_concurrent_requests", "tgi.MAX_CONCURRENT_REQUESTS", "model", "model_version")
def _scaling_starts_before_refusals(env: Environment) -> Iterator[Finding]:
    if env.auto_scaling is None:
        return
    target, limit = env.auto_scaling.target_concurrent_requests, _max_concurrent_requests(env)
    if target > limit:
        yield Finding(
            ("auto_scaling", "target_concurrent_requests"),
            target,
            f"an instance refuses requests beyond MAX_CONCURRENT_REQUESTS, {limit}, so nothing would ever scale out",
            f"set it to {limit} or less, or raise tgi.MAX_CONCURRENT_REQUESTS",
        )


@_rule("callers")
def _a_limit_on_callers_has_callers(env: Environment) -> Iterator[Finding]:
    if env.callers.only_from_vpc and not env.callers.role_names:
        yield Finding(
            ("callers", "only_from_vpc"),
            True,
            "there is no role that it could hold for",
            "name the roles in callers.role_names, or remove it",
        )


@_rule("callers", "network")
def _callers_in_the_vpc_have_a_way(env: Environment) -> Iterator[Finding]:
    if env.callers.only_from_vpc and not env.network.runtime_endpoint and env.network.existing_vpc is None:
        yield Finding(
            ("callers", "only_from_vpc"),
            True,
            "network.runtime_endpoint is false, so nothing in the VPC reaches the runtime",
            "set network.runtime_endpoint to true, or remove one of the two",
        )


@_rule("encryption", "account", "region")
def _key_is_at_hand(env: Environment) -> Iterator[Finding]:
    arn = env.encryption.kms_key_arn
    if arn is None:
        return
    _, partition, _, region, account, _ = arn.split(":", 5)
    field: FieldPath = ("encryption", "kms_key_arn")
    own = "aws-cn" if env.region.startswith("cn-") else "aws"
    if env.region in _regions() and (partition, region) != (own, env.region):
        reason = "CloudWatch Logs takes keys of its own region alone"
        yield Finding(field, arn, reason, f"use a key whose ARN begins with arn:{own}:kms:{env.region}:")
    if env.account is not None and account != env.account:
        reason = f"it is a key of account {account}, and the log groups are in {env.account}"
        yield Finding(field, arn, reason, f"use a key of {env.account}")


def _max_concurrent_requests(env: Environment) -> int:
    limit: int | None = env.tgi.max_concurrent_requests
    default: int = LauncherSettings.model_fields["max_concurrent_requests"].default
    return default if limit is None else limit


def _version_is_known(env: Environment) -> bool:
    return env.model_version is None or any(v.version == env.model_version for v in catalog.model(env.model).versions)


def _regions() -> list[str]:
    return sorted({region for model in catalog.models() for version in model.versions for region in version.regions})
