"""What the app as a whole promises, whatever the environment."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from mistral7b.environment import Environment
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import NamedRole
from tests.variants import define_folder, new_app


def resources(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template.get("Resources", {}).values() if r["Type"] == resource_type]


def test_an_environment_is_one_stack_listed_by_it_and_named_after_it(stages: dict[str, EnvironmentStage]) -> None:
    [stack] = [child for child in stages["dev"].node.children if isinstance(child, cdk.Stack)]
    assert (stack.node.path, stack.stack_name) == ("dev/endpoint", "mistral-7b-dev-endpoint")


def test_no_environment_exports_anything(templates: dict[str, Any]) -> None:
    """CloudFormation changes no export in use."""
    exports = [path for path, t in templates.items() for o in t.get("Outputs", {}).values() if "Export" in o]
    assert exports == []


def test_without_an_account_stacks_are_deployed_to_that_of_the_credentials(stages: dict[str, EnvironmentStage]) -> None:
    assert cdk.Token.is_unresolved(stages["dev"].endpoint.account)
    assert stages["dev"].endpoint.region == "us-east-1"


def test_an_account_of_the_file_is_the_stacks_account(stages: dict[str, EnvironmentStage]) -> None:
    assert (stages["archive"].endpoint.account, stages["archive"].endpoint.region) == ("111122223333", "eu-west-1")


@pytest.mark.parametrize("reads_alarms", [True, False])
def test_the_gate_role_reads_alarms_only_if_the_pipeline_waits_for_them(*, reads_alarms: bool) -> None:
    environment = Environment.model_validate({"name": "dev", "region": "us-east-1", "alarms": {}})
    app, trusted = new_app(), [NamedRole("gates")]
    stage = EnvironmentStage(app, environment=environment, trusted_roles=trusted, reads_alarms=reads_alarms)
    template = stage.synth().get_stack_by_name("mistral-7b-dev-endpoint").template
    [gate] = [role for role in resources(template, "AWS::IAM::Role") if role.get("RoleName") == "mistral-7b-dev-gate"]
    statements = [one for policy in gate["Policies"] for one in policy["PolicyDocument"]["Statement"]]
    found = [one for one in statements if "cloudwatch:DescribeAlarms" in one["Action"]]
    assert len(found) == reads_alarms
    assert all(len(one["Resource"]) == len(environment.alarm_names) for one in found)


def test_the_cli_protects_no_stack_before_its_first_deployment(stacks: dict[str, cdk.Stack]) -> None:
    """A first deployment that fails could neither be repeated nor destroyed: `mistral7b protect` comes after it."""
    assert {stack.termination_protection for path, stack in stacks.items() if "/pipeline" not in path} == {False}


def test_sagemakers_sdk_knows_the_model_by_its_tags(templates: dict[str, Any]) -> None:
    for kind in ("Model", "EndpointConfig", "Endpoint"):
        [properties] = resources(templates["dev/endpoint"], f"AWS::SageMaker::{kind}")
        tags = {tag["Key"]: tag["Value"] for tag in properties["Tags"]}
        assert tags["sagemaker-sdk:jumpstart-model-id"] == "huggingface-llm-mistral-7b-instruct"
        assert tags["sagemaker-sdk:jumpstart-model-version"] == "2.0.0"
    tagged = {r["Type"] for r in templates["dev/endpoint"]["Resources"].values() if "jumpstart-model-id" in str(r)}
    assert tagged == {"AWS::SageMaker::Model", "AWS::SageMaker::EndpointConfig", "AWS::SageMaker::Endpoint"}


def test_tags_are_on_every_resource_that_takes_tags(templates: dict[str, Any]) -> None:
    expected = {"team": "search", "cost-centre": "42"}
    found = templates["everything/endpoint"]["Resources"].values()
    tags = [r["Properties"]["Tags"] for r in found if "Tags" in r["Properties"]]
    assert tags
    for tag in tags:
        given = tag if isinstance(tag, dict) else {t["Key"]: t["Value"] for t in tag}
        assert expected.items() <= given.items()


def test_there_is_no_custom_resource_and_no_function(templates: dict[str, Any]) -> None:
    types = {r["Type"] for template in templates.values() for r in template["Resources"].values()}
    assert not {t for t in types if t.startswith(("Custom::", "AWS::CloudFormation::CustomResource", "AWS::Lambda"))}


def test_every_stack_and_output_has_a_description(templates: dict[str, Any]) -> None:
    for template in templates.values():
        assert template["Description"]
        own = {name: o for name, o in template.get("Outputs", {}).items() if "Export" not in o}
        assert all(output["Description"] for output in own.values())


def test_account_region_and_partition_stand_in_arns_of_another_partition(templates: dict[str, Any]) -> None:
    text = json.dumps(templates["china/endpoint"])
    assert "arn:aws-cn:s3:::jumpstart-cache-prod-cn-north-1/" in text
    assert "arn:aws:" not in text


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Path], list[list[int]]]:
    """Two synths of the project's own files: their folders, and when a stage was written, before and after the end."""
    folders, written = [], []
    for name in ("first", "second"):
        outdir = tmp_path_factory.mktemp(name)
        app = new_app(outdir=str(outdir))
        define_folder(app, "typical", checked=False)
        stage = outdir / "assembly-prod" / "manifest.json"
        before = stage.stat().st_mtime_ns
        app.synth()
        folders.append(outdir)
        written.append([before, stage.stat().st_mtime_ns])
    return folders, written


def test_two_synths_of_one_folder_are_the_same_to_the_byte(twice: tuple[list[Path], list[list[int]]]) -> None:
    first, second = twice[0]
    files = sorted(f.relative_to(first) for f in first.rglob("*.template.json"))
    assert len(files) == 4
    for file in files:
        assert (first / file).read_bytes() == (second / file).read_bytes()


def test_a_stage_that_the_pipeline_deploys_is_synthesized_once(twice: tuple[list[Path], list[list[int]]]) -> None:
    for before, after in twice[1]:
        assert before == after


@pytest.mark.parametrize(
    ("folder", "nested"), [("typical", "assembly-prod"), ("variants", "assembly-existing-vpc"), ("variants", ".")]
)
def test_synth_needs_no_lookup_and_only_templates_are_uploaded(
    folder: str, nested: str, apps: dict[str, cdk.App]
) -> None:
    assembly = Path(apps[folder].synth().directory) / nested
    assert "missing" not in json.loads((assembly / "manifest.json").read_text())
    for file in assembly.glob("*.assets.json"):
        assets = json.loads(file.read_text())
        assert assets["dockerImages"] == {}
        assert [asset["source"]["path"] for asset in assets["files"].values()] == [
            file.name.replace(".assets.json", ".template.json")
        ]
