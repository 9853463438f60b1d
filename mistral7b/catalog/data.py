"""Reads the data files of this folder, and what they hold of a region, so that a synth needs no look-up."""

import json
import re
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> Any:
    """The parsed content of the data file `name`; shared, so not to be changed."""
    return json.loads(files("mistral7b.catalog").joinpath(name).read_text(encoding="utf-8"))


def partition(region: str) -> str:
    """The partition of a region, by its name's beginning (botocore's endpoints, regionRegex)."""
    return {"cn": "aws-cn", "us-gov": "aws-us-gov"}.get(region.rsplit("-", 2)[0], "aws")


def s3_prefix_list_id(region: str) -> str | None:
    """Id of Amazon S3's managed prefix list in `region`, or None where it is not known."""
    ids: dict[str, str] = load("s3_prefix_lists.json")["ids"]
    return ids.get(region)


def availability_zones(region: str, instance_type: str | None = None) -> tuple[str, ...]:
    """Ids of the zones of `region`, such as `use1-az1`; empty where they differ between accounts.

    They are in order of the ids, those first where EC2 offers the SageMaker instance type, if one is given.
    """
    zones: dict[str, list[str]] = load("availability_zones.json")["zones"].get(region, {})
    return tuple(sorted(zones, key=lambda zone: instance_type is not None and instance_type not in zones[zone]))


def zone_number(region: str, zone: str) -> int | None:
    """Which of the region's zones it is, from 1: by the digit of an id, the letter of a name; None if it is neither.

    The name and the id of one zone can have different numbers.
    """
    if re.fullmatch(f"{re.escape(region)}[a-h]", zone):
        return ord(zone[-1]) - ord("a") + 1
    initials = re.sub("(?<=[nsewc])(orth|outh|ast|est|entral)|-", "", region)  # ap-southeast-3 is apse3 in ids
    return int(zone[-1]) if re.fullmatch(f"{re.escape(initials)}-az[1-8]", zone) else None
