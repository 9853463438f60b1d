"""The environments that templates are tested with: the project's own, and variants that use every field."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from mistral7b.environment import Environment, load_environments

ROOT = Path(__file__).parents[1]
FOLDERS = (ROOT / "environments", ROOT / "tests" / "snapshot" / "environments")


def environments() -> dict[str, Environment]:
    """Every environment, by name."""
    return {name: env for folder in FOLDERS for name, env in load_environments(folder).items()}


ENVIRONMENTS = environments()
STACKS = [f"{name}/{stack}" for name in ENVIRONMENTS for stack in ("network", "endpoint")]
"""Every stack's path in the app, such as `dev/network`."""


def context() -> dict[str, Any]:
    """The feature flags and settings of cdk.json."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return flags


def new_app(**props: Any) -> cdk.App:
    """An app with the flags of cdk.json and without the CDK's own validation, which app.py adds where it is wanted."""
    return cdk.App(context=context(), analytics_reporting=False, builtin_cloud_formation_validation=False, **props)
