"""The real environments as stages of an app, and their templates."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b.environment import load_environments
from stacks.stage import EnvironmentStage

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def app() -> cdk.App:
    """The app of the project's own environment files and of the variants that the snapshots record."""
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = cdk.App(context=context, builtin_cloud_formation_validation=False)
    for folder in (ROOT / "environments", ROOT / "tests" / "snapshot" / "environments"):
        for environment in load_environments(folder).values():
            EnvironmentStage(app, environment=environment)
    return app


@pytest.fixture(scope="session")
def stages(app: cdk.App) -> dict[str, EnvironmentStage]:
    """The stages, by environment."""
    return {stage.node.id: stage for stage in app.node.children if isinstance(stage, EnvironmentStage)}


@pytest.fixture(scope="session")
def templates(stages: dict[str, EnvironmentStage]) -> dict[str, Any]:
    """Every stack's template, by its path in the app: `dev/network`."""
    stacks = [stack for stage in stages.values() for stack in (stage.network, stage.endpoint)]
    return {stack.node.path: Template.from_stack(stack).to_json() for stack in stacks}
