"""`mistral7b bootstrap-policy`: the policies of CloudFormation's execution role, and how they are attached."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mistral7b.errors import UserError
from mistral7b_cli.app import app

TYPICAL = Path(__file__).parents[2] / "snapshot" / "typical"


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(app, ["bootstrap-policy", *arguments, "--environments", str(TYPICAL)])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("a folder") / "policies"
    return invoke("--output", str(folder)).stdout, folder


def test_an_account_has_one_set_of_policies_for_all_that_is_deployed_there(written: tuple[str, Path]) -> None:
    accounts = [line for line in written[0].splitlines() if line[:1].isdigit()]
    assert accounts == [
        "111111111111: dev/endpoint, pipeline",
        "222222222222: staging/endpoint",
        "333333333333: prod/endpoint",
    ]


def test_the_commands_that_attach_them_are_printed(written: tuple[str, Path]) -> None:
    stdout, folder = written
    arns = "arn:aws:iam::333333333333:policy/mistral-7b-deployment-"
    assert f"aws iam create-policy --policy-name mistral-7b-deployment-1 --policy-document 'file://{folder}" in stdout
    trust = "--trust 111111111111 --cloudformation-execution-policies"
    assert f"cdk bootstrap aws://333333333333/us-east-1 {trust} {arns}1,{arns}2" in stdout


def test_each_policy_is_small_enough_and_names_only_this_projects_resources(written: tuple[str, Path]) -> None:
    documents = [json.loads(file.read_text()) for file in written[1].glob("333333333333-*.json")]
    assert all(len(json.dumps(one, separators=(",", ":"))) <= 6144 for one in documents)
    statements = [one for document in documents for one in document["Statement"]]
    [passing] = [one for one in statements if one["Action"] == ["iam:PassRole"] and "sagemaker" in str(one)]
    assert passing["Condition"] == {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}
    roles = {arn for one in statements for arn in one["Resource"] if ":role/" in arn and "service-role" not in arn}
    assert all(arn.startswith("arn:aws:iam::333333333333:role/mistral-7b-prod") for arn in roles)


def test_an_unknown_environment_is_named() -> None:
    result = invoke("production")
    assert isinstance(result.exception, UserError)
    assert "production" in str(result.exception)
    assert "dev" in str(result.exception)
