"""What each check of an environment reads: IAM actions by resource. Apart from the checks: a synth has no boto3."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files

from mistral7b.environment import Environment

VPCS_PER_REGION = "L-F678F1CE"
"""The code of the quota."""

READS: Mapping[str, Mapping[str, Sequence[str]]] = json.loads(files(__package__).joinpath("reads.json").read_bytes())
"""By check. `{name}` is the environment's; `{image}`, `{bucket}`, `{config}` and `{key}` are made by `permissions`."""


def permissions(
    env: Environment, partition: str, account: str, region: str
) -> Iterator[tuple[str, str, Sequence[str]]]:
    """Check, resource and actions of everything that the checks read; of own weights also their config.json."""
    registry, _, image = env.image_uri.partition("/")
    repository = f"{registry.split('.')[0]}:repository/{re.split('[:@]', image)[0]}"
    own = env.artifact if env.artifact and env.artifact.uri.endswith("/") else None
    names = {
        **{"partition": partition, "account": account, "region": region, "name": env.name},
        "image": f"arn:{partition}:ecr:{region}:{repository}",
        "bucket": f"arn:{partition}:s3:::{env.artifact_uri.split('/')[2]}",
        "config": own and f"arn:{partition}:s3:::{own.uri.removeprefix('s3://')}config.json",
        "key": own and own.kms_key_arn,
    }
    for check, reads in READS.items():
        needed = {one: actions for one, actions in reads.items() if names.get(one.strip("{}"), one)}
        yield from ((check, resource.format_map(names), actions) for resource, actions in needed.items())
