"""One cloud assembly, made once of one commit, is what every environment gets."""

import re
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from tests.unit.stacks.pipeline.reading import actions
from tests.variants import ENVIRONMENTS, FOLDERS, PROMOTIONS


@pytest.fixture(params=FOLDERS)
def folder(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_one_action_makes_the_assembly_and_none_makes_another(folder: str, templates: dict[str, Any]) -> None:
    """The assembly is made once of a commit, and every environment gets it. Source: this project."""
    found = actions(templates[f"{folder}/pipeline"])
    made = [(one.stage, one.name, one.outputs) for one in found if one.outputs]
    assert made == [("Source", "Source", ("Source",)), ("Build", "Synth", ("Synth_Output",))]


def test_every_template_that_is_deployed_is_of_that_assembly(folder: str, templates: dict[str, Any]) -> None:
    prepared = [one for one in actions(templates[f"{folder}/pipeline"]) if one.provider == "CloudFormation"]
    assert {one.configuration["ActionMode"] for one in prepared} == {"CHANGE_SET_REPLACE", "CHANGE_SET_EXECUTE"}
    for one in prepared:
        if one.configuration["ActionMode"] == "CHANGE_SET_REPLACE":
            assert one.inputs == ("Synth_Output",)
            assert one.configuration["TemplatePath"].startswith(f"Synth_Output::assembly-{one.stage}/")


def test_every_template_that_is_deployed_is_in_the_assembly(
    folder: str, templates: dict[str, Any], apps: dict[str, cdk.App]
) -> None:
    root = Path(apps[folder].synth().directory)
    for one in actions(templates[f"{folder}/pipeline"]):
        for key in ("TemplatePath", "TemplateConfiguration"):
            if key in one.configuration:
                assert (root / one.configuration[key].removeprefix("Synth_Output::")).is_file()


def test_every_stack_of_an_environment_is_prepared_and_deployed(folder: str, templates: dict[str, Any]) -> None:
    found = actions(templates[f"{folder}/pipeline"])
    for promoted in PROMOTIONS[folder].environments:
        modes = [
            (one.configuration["StackName"], one.configuration["ActionMode"])
            for one in found
            if one.stage == promoted.name and one.provider == "CloudFormation"
        ]
        stacks = [path.split("/")[1] for path in templates if path.startswith(f"{promoted.name}/")]
        assert sorted(modes) == sorted(
            (f"mistral-7b-{promoted.name}-{stack}", mode)
            for stack in stacks
            for mode in ("CHANGE_SET_EXECUTE", "CHANGE_SET_REPLACE")
        )


def test_every_build_starts_from_the_one_commit(folder: str, templates: dict[str, Any]) -> None:
    builds = [one for one in actions(templates[f"{folder}/pipeline"]) if one.provider == "CodeBuild"]
    assert builds
    for one in builds:
        assert one.inputs[0] == "Source"
        assert one.configuration.get("PrimarySource", "Source") == "Source"


def test_the_pipeline_updates_itself_from_the_assembly_and_reviews_compare_it(
    folder: str, templates: dict[str, Any]
) -> None:
    with_assembly = {
        (one.stage, one.name)
        for one in actions(templates[f"{folder}/pipeline"])
        if one.provider == "CodeBuild" and "Synth_Output" in one.inputs
    }
    reviews = {(one.name, "Review") for one in PROMOTIONS[folder].environments}
    assert with_assembly == {("UpdatePipeline", "Review"), ("UpdatePipeline", "SelfMutate")} | reviews


def model(templates: dict[str, Any], environment: str) -> dict[str, Any]:
    resources = templates[f"{environment}/endpoint"]["Resources"].values()
    [found] = [r["Properties"]["PrimaryContainer"] for r in resources if r["Type"] == "AWS::SageMaker::Model"]
    return dict(found)


def test_environments_of_one_region_and_model_serve_the_same_image_and_weights(templates: dict[str, Any]) -> None:
    names = ("dev", "staging", "prod")
    assert {(ENVIRONMENTS[name].region, ENVIRONMENTS[name].model) for name in names} == {("us-east-1", "instruct")}
    first, *others = (model(templates, name) for name in names)
    for other in others:
        assert other["Image"] == first["Image"]
        assert other["ModelDataSource"] == first["ModelDataSource"]


def without_names(template: dict[str, Any], environment: str) -> dict[str, Any]:
    """Types and properties by logical id, with the environment's name taken out of every text."""

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(one) for key, one in value.items()}
        if isinstance(value, list):
            return [walk(one) for one in value]
        if isinstance(value, str):
            return re.sub(rf"\b{environment}\b", "<environment>", value)
        return value

    return {name: walk([r["Type"], r["Properties"]]) for name, r in template["Resources"].items()}


def test_dev_and_staging_differ_only_in_what_their_files_say(templates: dict[str, Any]) -> None:
    """The files differ in the account, the log retention, and auto scaling, by which an endpoint keeps its count."""
    dev, staging = (without_names(templates[f"{name}/endpoint"], name) for name in ("dev", "staging"))
    assert {name for name in staging if name not in dev} == {
        name for name in staging if staging[name][0].startswith("AWS::ApplicationAutoScaling")
    }
    different = {dev[name][0] for name in dev if not _same(dev[name], staging[name])}
    assert different == {"AWS::Logs::LogGroup", "AWS::SageMaker::Endpoint"}


def _same(one: Any, other: Any) -> bool:
    """Whether two resources are the same but for the account: a reference in dev, a number in staging."""

    def flat(value: Any) -> str:
        match value:
            case {"Ref": "AWS::AccountId"} | "222222222222" | "111111111111":
                return "<account>"
            case {"Fn::Join": ["", parts]}:
                return "".join(flat(part) for part in parts)
            case dict():
                return "{" + ", ".join(f"{key}: {flat(value[key])}" for key in sorted(value)) + "}"
            case list():
                return "[" + ", ".join(flat(part) for part in value) + "]"
            case str():
                return re.sub(r"222222222222|111111111111", "<account>", value)
            case _:
                return str(value)

    return flat(one) == flat(other)
