"""What templates are tested with: typical files, and variants that use every field, each with a pipeline.

The files in environments/ are the user's; tests/environments looks at those.
"""

import json
import tarfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk
import aws_cdk as cdk

from mistral7b.environment import Environment, load_environments
from mistral7b.promotion import Promotion, load_promotion
from mistral7b_stacks.app import define
from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage

ROOT = Path(__file__).parents[1]
FOLDERS = {name: ROOT / "tests" / "snapshot" / name for name in ("typical", "variants")}
"""Folders of environment files, each with its pipeline file; each is an app of its own."""


_BY_FOLDER = {name: load_environments(folder) for name, folder in FOLDERS.items()}


def _promotion(name: str) -> Promotion:
    promotion = load_promotion(FOLDERS[name], _BY_FOLDER[name])
    assert promotion is not None
    return promotion


PROMOTIONS = {name: _promotion(name) for name in FOLDERS}
"""The pipelines, by folder."""
ENVIRONMENTS: dict[str, Environment] = {name: e for found in _BY_FOLDER.values() for name, e in found.items()}
"""Every environment, by name."""
PROMOTED = {one.name: promotion for promotion in PROMOTIONS.values() for one in promotion.environments}
"""The pipeline of each environment that has one."""


def stack_paths() -> dict[str, str]:
    """The region of every stack, by its path in the app; a pipeline's with its folder before it."""
    found = {f"{name}/endpoint": e.region for name, e in ENVIRONMENTS.items()}
    for folder, promotion in PROMOTIONS.items():
        if promotion.settings.github_actions is not None:
            found |= {f"{one.name}/github": one.region for one in promotion.environments}
        found[f"{folder}/pipeline"] = promotion.settings.region
        others = {one.region for one in promotion.environments} - {promotion.settings.region}
        found |= {f"{folder}/pipeline-{region}": region for region in others}
    return found


REGIONS = stack_paths()
STACKS = list(REGIONS)
"""Every stack's path, such as `dev/endpoint` and `typical/pipeline`."""


@cache
def recommended_flags() -> dict[str, Any]:
    """The feature flags that aws-cdk-lib recommends to a new project, from the package itself."""
    [package] = (Path(aws_cdk.__file__).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
    with tarfile.open(package, "r|gz") as members:
        found = next(m for m in members if m.name == "package/recommended-feature-flags.json")
        file = members.extractfile(found)
        assert file is not None
        flags: dict[str, Any] = json.load(file)
        return flags


@cache
def context() -> dict[str, Any]:
    """The feature flags of cdk.json. What else is there is the user's: a qualifier, a permissions boundary, tags."""
    flags: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return {flag: value for flag, value in flags.items() if flag in recommended_flags()}


def new_app(**props: Any) -> cdk.App:
    """An app with the flags of cdk.json and without the CDK's own validation, which app.py adds where it is wanted."""
    return cdk.App(context=context(), analytics_reporting=False, builtin_cloud_formation_validation=False, **props)


def define_folder(app: cdk.App, folder: str, *, checked: bool = True) -> PipelineStack:
    """Defines all that app.py would of a folder's files.

    Args:
        app: The app.
        folder: One of `FOLDERS`.
        checked: Whether with compliance packs, which change no template and take most of a synth's time.
    """
    environments, promotion = _BY_FOLDER[folder], PROMOTIONS[folder]
    if not checked:
        none: dict[str, list[str]] = {"compliance_packs": []}
        environments = {name: e.model_copy(update=none) for name, e in environments.items()}
        promotion = replace(promotion, settings=promotion.settings.model_copy(update=none))
    pipeline = define(app, environments, promotion)
    assert pipeline is not None
    return pipeline


def stages_of(app: cdk.App) -> dict[str, EnvironmentStage]:
    """The environments' stages of an app, by name."""
    return {stage.node.id: stage for stage in app.node.children if isinstance(stage, EnvironmentStage)}
