"""What differs by region, as data of this package: defaults need no AWS call and no look-up at synth."""

import json
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def load(name: str) -> Any:
    """The parsed content of a file of `data/`; do not change it. The files say what they hold and where it is from."""
    return json.loads(files("sagemaker_tgi").joinpath("data", name).read_text(encoding="utf-8"))


def s3_prefix_list_id(region: str) -> str | None:
    """Id of the region's managed prefix list of Amazon S3; None if it is not known."""
    ids: dict[str, str] = load("s3_prefix_lists.json")["ids"]
    return ids.get(region)


def availability_zones(region: str, instance_type: str) -> list[str]:
    """Ids of the region's zones, those that offer the instance type first; empty if they are not known."""
    zones: dict[str, list[str]] = load("availability_zones.json")["zones"].get(region, {})
    return sorted(zones, key=lambda zone: instance_type not in zones[zone])
