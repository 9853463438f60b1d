"""Every template passes the compliance packs, CloudFormation's schemas as the CDK and as cfn-lint know them."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cfnlint.api import ManualArgs, lint

from mistral7b.environment import CompliancePack, load_environments
from mistral7b.environment.warnings import NEVER_SCHEDULED
from mistral7b_cli.demo.scenario import EXAMPLE
from mistral7b_stacks.app import define
from mistral7b_stacks.checks import PACKS, Check, add_compliance_packs, add_template_validation, new_pack
from mistral7b_stacks.stage import EnvironmentStage
from tests.variants import ENVIRONMENTS, FOLDERS, REGIONS, STACKS, context, define_folder, new_app


@pytest.mark.parametrize("pack", list(PACKS))
@pytest.mark.parametrize("folder", FOLDERS)
def test_every_finding_of_a_pack_is_acknowledged(folder: str, pack: CompliancePack, apps: dict[str, cdk.App]) -> None:
    app = apps[folder]
    app.synth()  # references between stacks become what a pack sees of them
    report = new_pack(pack, app).validate_scope(app)
    findings = {v.rule_name: [r.construct_path for r in v.violating_resources] for v in report.violations}
    assert findings == {}


@pytest.mark.parametrize("path", STACKS)
def test_cfn_lint_finds_neither_error_nor_warning(path: str, templates: dict[str, Any]) -> None:
    template = templates[path]
    if "/pipeline" in path:
        # As the CLI synthesizes it: without a construct's path cfn-lint takes it as written by hand, and calls advice
        # on Fn::Join, within actions, an error.
        first = next(iter(template["Resources"]))
        marked = template["Resources"][first] | {"Metadata": {"aws:cdk:path": f"pipeline/{first}"}}
        template = template | {"Resources": template["Resources"] | {first: marked}}
    config = ManualArgs(regions=[REGIONS[path]])
    assert [str(match) for match in lint(json.dumps(template), config=config)] == []


def unchecked_bucket(tmp_path: Path, packs: list[CompliancePack], *, in_stage: bool = True) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    stack = cdk.Stack(cdk.Stage(app, "dev") if in_stage else app, "Test")
    s3.Bucket(stack, "Bucket")
    add_compliance_packs(stack, packs)
    return app


@pytest.mark.parametrize("in_stage", [True, False], ids=["an environment's", "the pipeline's"])
@pytest.mark.parametrize(
    ("pack", "finding"),
    [
        ("aws-solutions", "AwsSolutions-S10"),
        ("nist-800-53-r5", "NIST.800.53.R5-S3BucketSSLRequestsOnly"),
        ("pci-dss-3.2.1", "PCI.DSS.321-S3BucketSSLRequestsOnly"),
        ("hipaa", "HIPAA.Security-S3BucketSSLRequestsOnly"),
    ],
)
def test_a_synth_with_an_unacknowledged_finding_of_a_pack_fails(
    pack: CompliancePack, finding: str, in_stage: bool, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        unchecked_bucket(tmp_path, [pack], in_stage=in_stage).synth()
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert finding in {violation["ruleName"].split("::")[-1] for r in reports for violation in r["violations"]}


def test_an_environment_that_asks_for_no_pack_gets_none(tmp_path: Path) -> None:
    unchecked_bucket(tmp_path, []).synth()
    assert not (tmp_path / "validation-report.json").exists()


def test_a_pack_checks_only_stages_that_ask_for_it(tmp_path: Path) -> None:
    app = unchecked_bucket(tmp_path, [])
    other = cdk.Stage(app, "staging")
    cdk.Stack(other, "Empty")
    add_compliance_packs(other, ["aws-solutions"])
    app.synth()
    assert json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"] == []


def test_environments_are_checked_by_every_pack_by_default() -> None:
    """Models, packs and packagings are named as they are. Source: this project."""
    assert set(ENVIRONMENTS["dev"].compliance_packs) == set(PACKS)


@pytest.mark.parametrize("pack", list(PACKS))
def test_a_packs_findings_are_acknowledged_by_its_own_name(pack: CompliancePack) -> None:
    assert new_pack(pack, cdk.App()).name == PACKS[pack]


def test_a_check_that_fails_itself_fails_the_synth(tmp_path: Path) -> None:
    def find(_: object) -> cdk.PolicyValidationPluginReport:
        raise ModuleNotFoundError("No module named 'cdk_nag'")

    app = unchecked_bucket(tmp_path, [])
    cdk.Validations.of(app).add_plugins(Check(app, "Broken", "cdk-nag", find))
    with pytest.raises(RuntimeError, match="ModuleNotFoundError: No module named 'cdk_nag'"):
        app.synth()
    [report] = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert report["conclusion"] == "failure"
    [violation] = report["violations"]  # by which `cdk deploy --app cdk.out` refuses every stack
    assert [construct["constructPath"] for construct in violation["violatingConstructs"]] == [""]


def app_with_a_wrong_property(tmp_path: Path) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path), context=context(), builtin_cloud_formation_validation=False)
    cdk.CfnResource(cdk.Stack(app, "Test"), "Wrong", type="AWS::SSM::Parameter", properties={"Nonsense": "yes"})
    add_template_validation(app)
    return app


def test_a_template_that_cloudformation_would_refuse_is_an_error_at_synth(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Nonsense"):
        app_with_a_wrong_property(tmp_path).synth()


@pytest.mark.parametrize("folder", FOLDERS)
def test_cloudformation_validation_finds_nothing(folder: str, tmp_path: Path) -> None:
    app = new_app(outdir=str(tmp_path))
    define_folder(app, folder)
    add_template_validation(app)
    app.synth()
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    said = {violation["ruleName"] for report in reports for violation in report["violations"]}
    assert said <= {f"Annotation::{NEVER_SCHEDULED}"}


def test_the_demos_example_passes_every_check(tmp_path: Path) -> None:
    app = new_app(outdir=str(tmp_path))
    define(app, load_environments(EXAMPLE))
    add_template_validation(app)
    app.synth()


def test_a_synth_warns_of_prompts_that_are_never_scheduled(
    stages: dict[str, EnvironmentStage],
) -> None:
    metadata = [entry for node in stages["dev"].node.find_all() for entry in node.node.metadata]
    [warning] = [entry.data for entry in metadata if entry.type == "aws:cdk:warning"]
    assert f"[ack: {NEVER_SCHEDULED}]" in warning
