"""Templates of the real environments, and of variants that between them use every field."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b.environment import load_environments
from stacks.stage import EnvironmentStage

ROOT = Path(__file__).parents[2]
VARIANTS = Path(__file__).parent / "environments"


@pytest.fixture(scope="session")
def templates() -> dict[str, Any]:
    """Every stack's template, by its path in the app: `dev/network`."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, builtin_cloud_formation_validation=False)
    stages = [
        EnvironmentStage(app, environment=environment)
        for folder in (ROOT / "environments", VARIANTS)
        for environment in load_environments(folder).values()
    ]
    stacks = [stack for stage in stages for stack in (stage.network, stage.endpoint)]
    return {stack.node.path: Template.from_stack(stack).to_json() for stack in stacks}
