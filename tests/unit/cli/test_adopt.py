"""`mistral7b adopt`: the file, what is printed, and mistakes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name

from mistral7b.environment import load_environment
from sagehost.accounts import access_key_id
from sagehost.lifecycle import State, running_server
from tests.unit.cli.conftest import Result, run_main

ACCOUNT, ENDPOINT = "343434343434", "mistral-of-research"
REQUESTS = Path(__file__).parents[1] / "operate" / "adopted" / "requests.json"
Adopt = Callable[..., Result]


@pytest.fixture(scope="module")
def server() -> Iterator[State]:
    """An embedded AWS with the endpoint of a notebook."""
    with running_server() as server:
        session = boto3.Session(access_key_id(ACCOUNT), server.secret, region_name="us-east-1")
        trust = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        session.client("iam", endpoint_url=server.url).create_role(
            RoleName="AmazonSageMaker-ExecutionRole-20231010T120000",
            Path="/service-role/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        sagemaker = session.client("sagemaker", endpoint_url=server.url)
        recorded: list[dict[str, Any]] = json.loads(REQUESTS.read_text(encoding="utf-8"))["recorded"]["overridden"]
        for operation, parameters in (item for request in recorded for item in request.items()):
            parameters.pop("VpcConfig", None)
            text = json.dumps(parameters).replace("123456789012", ACCOUNT)
            getattr(sagemaker, xform_name(operation))(**json.loads(text))
        yield server


@pytest.fixture
def adopt(server: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Adopt:
    """Runs the command in a folder with the files of a project."""
    for name, value in server.settings(ACCOUNT).items():
        monkeypatch.setenv(name, value)
    (tmp_path / "my environments").mkdir()
    monkeypatch.setenv("MISTRAL7B_ENVIRONMENTS", str(tmp_path / "my environments"))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: run_main(monkeypatch, capsys, "adopt", *arguments)


def test_the_file_is_written_and_what_changes_is_listed(adopt: Adopt, tmp_path: Path) -> None:
    result = adopt(ENDPOINT, "--name", "research")
    assert result.status == 0
    assert result.err == f"endpoint {ENDPOINT}, account {ACCOUNT}, us-east-1, embedded AWS\n"
    file = tmp_path / "my environments" / "research.yaml"
    assert result.out.endswith(f"wrote {file}; it has the same endpoint_name: docs/adopt.md has the next steps\n")
    assert "changes   network: the model gets a VPC, without internet" in result.out
    assert "not kept  CUSTOM: environment files set no such variable" in result.out
    env = load_environment(file.parent, "research")
    assert (env.account, env.endpoint_name, env.instance.count) == (ACCOUNT, ENDPOINT, 2)


def test_a_file_that_exists_is_not_overwritten(adopt: Adopt, tmp_path: Path) -> None:
    file = tmp_path / "my environments" / "dev.yaml"
    file.write_text("region: eu-west-1\n")
    result = adopt(ENDPOINT, "--name", "dev")
    assert result.status != 0
    assert f"{file}: File exists\nfix: name another file" in result.err
    assert file.read_text() == "region: eu-west-1\n"


def test_standard_output_has_the_file_alone_and_json_the_values_and_remarks(adopt: Adopt, tmp_path: Path) -> None:
    printed = adopt(ENDPOINT, "--output", "-")
    assert printed.out.startswith(
        f"# Adopted from the endpoint {ENDPOINT}: docs/adopt.md has the next steps.\naccount:"
    )
    assert "CUSTOM: environment files set no such variable" in printed.err
    found = json.loads(adopt(ENDPOINT, "--json").out)
    assert found["values"]["tgi.MAX_INPUT_LENGTH"] == 4096
    assert {"kind": "not kept", "what": "CUSTOM", "text": "environment files set no such variable"} in found["remarks"]
    assert list(tmp_path.rglob("*.yaml")) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mistral-of-reserch"], f"Could not find endpoint .*\nfix: did you mean {ENDPOINT}"),
        ([ENDPOINT, "--region", "eu-west-1"], "Could not find endpoint .*eu-west-1.*\nfix: .*--region names another"),
        ([ENDPOINT, "--name", "Research"], "Research.yaml: names of AWS resources cannot contain it\nfix: rename the"),
        ([ENDPOINT, "--name", "pipeline"], "pipeline.yaml cannot be an environment's file\nfix: give another --name"),
        ([ENDPOINT, "--output", "nowhere/dev.yaml"], "nowhere/dev.yaml: No such file or directory"),
    ],
)
def test_a_mistake_is_named_with_its_fix(arguments: list[str], told: str, adopt: Adopt) -> None:
    result = adopt(*arguments)
    assert result.status != 0
    assert re.search(told, result.err)


def test_credentials_and_region_are_required(adopt: Adopt, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    assert "no region is set\nfix: give --region" in adopt(ENDPOINT).err
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    assert "no AWS credentials" in adopt(ENDPOINT, "--region", "us-east-1").err


def test_what_the_rules_of_environments_refuse_is_said_with_its_place(adopt: Adopt, tmp_path: Path) -> None:
    (tmp_path / "my environments" / "common.yaml").write_text("removal: {log_retention_days: 31}\n")
    result = adopt(ENDPOINT)
    assert result.status == 2
    assert "common.yaml:1: removal.log_retention_days = 31" in result.err
