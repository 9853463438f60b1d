"""`mistral7b permissions`: the statements of the templates, with their reasons."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mistral7b_cli.app import app

TYPICAL = Path(__file__).parents[2] / "snapshot" / "typical"


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["permissions", *arguments, "--environments", str(TYPICAL)])


def test_an_environments_statements_are_printed_with_actions_resources_and_reasons() -> None:
    result = invoke("dev")
    assert result.exit_code == 0
    role = result.stdout.split("dev/endpoint/Role/Artifact: AWS::IAM::RolePolicy\n")[1].split("\n\n")[0]
    assert role.startswith("  ReadWeights (PolicyDocument): SageMaker copies the weights")
    assert "    Allow     s3:GetObject\n    Resource  arn:aws:s3:::jumpstart-cache-prod-us-east-1/" in role


def test_the_pipelines_statements_are_json_for_scripts() -> None:
    result = invoke("pipeline", "--json")
    statements = json.loads(result.stdout)
    assert {one["stack"] for one in statements} == {"pipeline"}
    assert all(one["reason"] for one in statements)


def test_outside_of_a_project_the_fix_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = invoke("dev")
    assert "no app.py here" in str(result.exception)
