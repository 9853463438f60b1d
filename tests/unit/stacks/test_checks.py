"""Every template passes the AWS Solutions pack, CloudFormation's schemas as the CDK and as cfn-lint know them."""

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_s3 as s3
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint

from mistral7b.environment import load_environments
from stacks.checks import add_checks
from stacks.stage import EnvironmentStage

ROOT = Path(__file__).parents[3]
# Warnings of cfn-lint that are as intended.
INTENDED = {
    "W3005": "the CDK turns every dependency between constructs into DependsOn, whether a reference implies it or not",
    "W3010": "zones are named on purpose: not every zone offers GPU instances, and Fn::GetAZs differs between accounts",
}
ENVIRONMENTS = [
    *("dev", "staging", "prod"),
    *("archive", "base-model", "china", "everything", "existing-routes", "existing-vpc"),
]


def test_every_finding_of_the_aws_solutions_pack_is_acknowledged(app: cdk.App) -> None:
    report = AwsSolutionsChecks(app).validate_scope(app)
    findings = {v.rule_name: [r.construct_path for r in v.violating_resources] for v in report.violations}
    assert findings == {}


def test_every_acknowledged_finding_has_a_reason_and_says_where_it_is(stages: dict[str, EnvironmentStage]) -> None:
    reasons = [
        (path.node.path, finding, reason)
        for stage in stages.values()
        for path in stage.node.find_all()
        for entry in path.node.metadata
        if entry.type == cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
        for finding, reason in dict(entry.data).items()
    ]
    assert reasons
    assert not [r for r in reasons if len(r[2]) < 20 or r[0].count("/") < 2]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("stack", ["network", "endpoint"])
def test_cfn_lint_finds_neither_error_nor_warning(
    environment: str, stack: str, templates: dict[str, Any], stages: dict[str, EnvironmentStage]
) -> None:
    config = ManualArgs(regions=[stages[environment].endpoint.region], ignore_checks=list(INTENDED))
    assert [str(match) for match in lint(json.dumps(templates[f"{environment}/{stack}"]), config=config)] == []


def checked_app(tmp_path: Path, **context: Any) -> cdk.App:
    app = cdk.App(outdir=str(tmp_path), context=context, builtin_cloud_formation_validation=False)
    add_checks(app)
    return app


def test_a_synth_with_an_unacknowledged_finding_fails(tmp_path: Path) -> None:
    app = checked_app(tmp_path)
    s3.Bucket(cdk.Stack(app, "Test"), "Bucket")
    with pytest.raises(RuntimeError, match="AwsSolutions-S10"):
        app.synth()


def test_a_template_that_cloudformation_would_refuse_fails_when_asked_to_validate(tmp_path: Path) -> None:
    app = checked_app(tmp_path, validate="true", **{"@aws-cdk/core:validateAgainstDefaultRules": "true"})
    cdk.CfnResource(cdk.Stack(app, "Test"), "Wrong", type="AWS::SSM::Parameter", properties={"Nonsense": "yes"})
    with pytest.raises(RuntimeError, match="Nonsense"):
        app.synth()


def test_the_cdk_has_nothing_to_say_against_the_projects_templates(tmp_path: Path) -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]
    app = checked_app(tmp_path, **context, validate="true")
    for environment in load_environments(ROOT / "environments").values():
        EnvironmentStage(app, environment=environment)
    app.synth()
    reports = json.loads((tmp_path / "validation-report.json").read_text())["pluginReports"]
    assert "CloudFormation Validate" in {report["pluginName"] for report in reports}
    assert [violation for report in reports for violation in report["violations"]] == []
