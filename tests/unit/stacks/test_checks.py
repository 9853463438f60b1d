"""Every template passes the compliance packs, CloudFormation's schemas as the CDK and as cfn-lint know them."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cfnlint.api import ManualArgs, lint

from mistral7b.environment import CompliancePack
from stacks.checks import PACKS, add_compliance_packs, add_template_validation
from stacks.stage import EnvironmentStage
from tests.variants import ENVIRONMENTS, STACKS, context


@pytest.mark.parametrize("pack", list(PACKS))
def test_every_finding_of_a_pack_is_acknowledged(pack: CompliancePack, app: cdk.App) -> None:
    app.synth()  # references between stacks become what a pack sees of them
    report = PACKS[pack](app).validate_scope(app)
    findings = {v.rule_name: [r.construct_path for r in v.violating_resources] for v in report.violations}
    assert findings == {}


@pytest.mark.parametrize("path", STACKS)
def test_cfn_lint_finds_neither_error_nor_warning(
    path: str, templates: dict[str, Any], stages: dict[str, EnvironmentStage]
) -> None:
    region = stages[path.split("/", maxsplit=1)[0]].endpoint.region
    config = ManualArgs(regions=[region])
    assert [str(match) for match in lint(json.dumps(templates[path]), config=config)] == []


def unchecked_bucket(tmp_path: Path, packs: list[CompliancePack]) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path), builtin_cloud_formation_validation=False)
    stage = cdk.Stage(app, "dev")
    s3.Bucket(cdk.Stack(stage, "Test"), "Bucket")
    add_compliance_packs(stage, packs)
    return app


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
    pack: CompliancePack, finding: str, tmp_path: Path
) -> None:
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        unchecked_bucket(tmp_path, [pack]).synth()
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert finding in {violation["ruleName"].split("::")[-1] for r in reports for violation in r["violations"]}


def test_an_environment_that_asks_for_no_pack_gets_none(tmp_path: Path) -> None:
    unchecked_bucket(tmp_path, []).synth()
    assert not (tmp_path / "validation-report.json").exists()


def test_an_environment_file_asks_for_every_pack_unless_it_says_otherwise() -> None:
    assert set(ENVIRONMENTS["dev"].compliance_packs) == set(PACKS)


def app_with_a_wrong_property(tmp_path: Path, **settings: Any) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path), context=context() | settings, builtin_cloud_formation_validation=False)
    cdk.CfnResource(cdk.Stack(app, "Test"), "Wrong", type="AWS::SSM::Parameter", properties={"Nonsense": "yes"})
    add_template_validation(app)
    return app


def test_a_template_that_cloudformation_would_refuse_is_an_error_at_synth(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Nonsense"):
        app_with_a_wrong_property(tmp_path).synth()


def test_validation_of_templates_can_be_left_out_for_a_quick_look(tmp_path: Path) -> None:
    app_with_a_wrong_property(tmp_path, validate="false").synth()
    assert (tmp_path / "Test.template.json").exists()


def test_the_cdk_has_nothing_to_say_against_any_template(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), context=context(), builtin_cloud_formation_validation=False)
    for environment in ENVIRONMENTS.values():
        EnvironmentStage(app, environment=environment)
    add_template_validation(app)
    app.synth()
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert "CloudFormation Validate" in {report["pluginName"] for report in reports}
    assert [violation for report in reports for violation in report["violations"]] == []
