"""The shipped workflows of GitHub Actions, job by job, in an account that lets in nobody else.

The embedded AWS does not verify GitHub's tokens; which role lets in which other, it does.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from sagehost.lifecycle import State
from tests.e2e.conftest import BIN, PROJECT, REGION, User, succeeded
from tests.e2e.github_runner import Runner
from tests.e2e.identity_provider import token
from tests.unit.promotion.github.machine import Machine

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not (shutil.which("jq") and shutil.which("yq")),
    reason="runners are Linux with jq and yq (actions/runner-images, Ubuntu2404-Readme)",
)
ACCOUNT = "777777777777"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/mistral-7b-ci"
PIPELINE: dict[str, Any] = {
    "account": ACCOUNT,
    "region": REGION,
    "source": {"repository": "octo-org/mistral-7b"},
    "build": {"setup": "test -x .venv/bin/mistral7b", "test": "test -f app.py"},
    "environments": [{"name": "ci", "gates": ['.venv/bin/mistral7b invoke ci "Which gate is this?"']}],
    "github_actions": {},
}


@pytest.fixture(scope="module")
def administrator(server: State, tmp_path_factory: pytest.TempPathFactory) -> User:
    """Who has bootstrapped the account."""
    scratch = tmp_path_factory.mktemp("github")
    user = User(server.url, server.secret, ACCOUNT, scratch / "repository" / "environments", scratch)
    succeeded(user.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}"))
    return user


@pytest.fixture(scope="module")
def runner(administrator: User) -> Runner:
    """Runs jobs of the workflows, with environments on GitHub that are protected."""
    administrator.files.mkdir(parents=True)
    (administrator.files / "ci.yaml").write_text(
        "region: us-east-1\nnetwork: {runtime_endpoint: false}\ntermination_protection: true\n"
    )
    (administrator.files / "pipeline.yaml").write_text(yaml.safe_dump(PIPELINE))
    machine = Machine(administrator.scratch / "github")
    policy = {
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
        "policies": [{"name": "main", "type": "branch"}],
    }
    machine.github = {"ci-security": {**policy, "reviewers": [{"type": "User"}]}, "ci": {**policy, "reviewers": []}}
    settings = {
        "AWS_ENDPOINT_URL": administrator.url,
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_REPOSITORY": PIPELINE["source"]["repository"],
        "PATH": os.pathsep.join([str(machine.bin), os.environ["PATH"]]),
    }
    return Runner(administrator.scratch / "repository", administrator.scratch, settings)


@pytest.fixture(scope="module")
def first(runner: Runner, administrator: User) -> dict[str, dict[str, str]]:
    """Outputs of the jobs of the first run, after whose build the administrator lets GitHub in."""
    runner.run("build")
    _let_in(administrator, runner.scratch / "build" / "cdk.out")
    for job in ("review", "security", "deploy"):
        runner.run(job)
    return dict(runner.outputs)


def _let_in(administrator: User, assembly: Path) -> None:
    """`cdk deploy ci/github`, of the assembly that the build has made: a synth less."""
    command = [str(BIN / "cdk"), "--app", str(assembly), "deploy", "ci/github", "--require-approval", "never"]
    done = subprocess.run(command, env=administrator.environ, cwd=PROJECT, capture_output=True, text=True, check=False)
    succeeded(done)


def test_a_first_deployment_waits_for_its_approval(first: dict[str, dict[str, str]]) -> None:
    assert first["review"] == {"broadens": "true"}


def test_what_would_be_allowed_is_in_the_runs_summary(first: dict[str, dict[str, str]], runner: Runner) -> None:
    summary = (runner.scratch / "review" / "summary.md").read_text()
    assert summary.startswith("```\nci: this broadens IAM permissions or opens security groups.\nadded: ")
    assert "+ Allow Service sagemaker.amazonaws.com: sts:AssumeRole on ${endpoint/Role}" in summary


def test_the_endpoint_is_deployed_and_has_answered_smoke_test_and_gate(
    first: dict[str, dict[str, str]], runner: Runner, administrator: User
) -> None:
    [endpoint] = administrator.client("sagemaker").list_endpoints()["Endpoints"]
    assert (endpoint["EndpointName"], endpoint["EndpointStatus"]) == ("mistral-7b-instruct-ci", "InService")
    assert "checks passed in" in runner.log


def test_the_stacks_are_protected_as_the_file_says(first: dict[str, dict[str, str]], administrator: User) -> None:
    stacks = administrator.client("cloudformation").describe_stacks()["Stacks"]
    protected = {one["StackName"] for one in stacks if one["EnableTerminationProtection"]}
    assert protected == {"mistral-7b-ci-endpoint", "mistral-7b-ci-github"}


def test_the_same_commit_again_broadens_nothing(first: dict[str, dict[str, str]], runner: Runner) -> None:
    assert runner.run("review") == {"broadens": "false"}


def test_an_assembly_that_was_not_built_is_not_deployed(first: dict[str, dict[str, str]], runner: Runner) -> None:
    artifact = runner.artifacts / "cloud-assembly"
    built = artifact.read_bytes()
    artifact.write_bytes(built + b"\0")
    with pytest.raises(AssertionError, match="It is the one that was built"):
        runner.run("deploy")
    artifact.write_bytes(built)


def test_the_next_environment_begins_with_this_assembly_only(first: dict[str, dict[str, str]], runner: Runner) -> None:
    [environment] = json.loads(first["build"]["environments"])
    following = [{**environment, "after": "ci"}]
    runner.outputs["build"] = first["build"] | {"environments": json.dumps(following)}
    assert runner.run("review") == {"broadens": "false"}
    runner.outputs["build"]["digest"] = "0" * 64
    with pytest.raises(AssertionError, match="The environment before has passed with this assembly"):
        runner.run("review")
    runner.outputs["build"] = first["build"]


def test_the_reviews_role_may_not_ask_the_endpoint(first: dict[str, dict[str, str]], administrator: User) -> None:
    session = administrator.client("sts").assume_role_with_web_identity(
        RoleArn=f"{ROLE}-github-review",
        RoleSessionName="review",
        WebIdentityToken=token("repo:octo-org/mistral-7b:ref:refs/heads/main"),
    )["Credentials"]
    reviewing = boto3.client(
        "sts",
        endpoint_url=administrator.url,
        region_name=REGION,
        aws_access_key_id=session["AccessKeyId"],
        aws_secret_access_key=session["SecretAccessKey"],
        aws_session_token=session["SessionToken"],
    )
    with pytest.raises(ClientError, match="AccessDenied"):
        reviewing.assume_role(RoleArn=f"{ROLE}-gate", RoleSessionName="review")
