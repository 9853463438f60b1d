"""The workflow of GitHub Actions, job by job, in an account that lets in nobody else.

The embedded AWS does not verify GitHub's tokens; which role lets in which other, it does.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.exceptions import ClientError

from localaws.lifecycle import State
from mistral7b.promotion import load_promotion
from mistral7b.promotion.github_actions import WORKFLOW_FILE, workflow
from tests.e2e.conftest import BIN, PROJECT, REGION, User, succeeded
from tests.e2e.github_runner import Runner
from tests.unit.promotion.github.fake_github import TOKEN, answering, protected

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
    user = User(server.url, ACCOUNT, scratch / "repository" / "environments", scratch)
    succeeded(user.cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}"))
    return user


@pytest.fixture(scope="module")
def runner(administrator: User) -> Iterator[Runner]:
    """Runs jobs of the workflow that is made of the pipeline file."""
    repository = administrator.scratch / "repository"
    administrator.files.mkdir(parents=True)
    (administrator.files / "ci.yaml").write_text(
        "region: us-east-1\nnetwork: {runtime_endpoint: false}\ntermination_protection: true\n"
    )
    (administrator.files / "pipeline.yaml").write_text(yaml.safe_dump(PIPELINE))
    promotion = load_promotion(administrator.files)
    assert promotion is not None
    file = repository / WORKFLOW_FILE
    file.parent.mkdir(parents=True)
    file.write_text(workflow(promotion))
    answers = {path: (200, json.dumps(answer)) for path, answer in protected(promotion).items()}
    with answering(answers) as github:
        settings = {"AWS_ENDPOINT_URL": administrator.url, "GITHUB_API_URL": github, "TOKEN": TOKEN}
        yield Runner(yaml.safe_load(file.read_text()), repository, administrator.scratch, settings)


@pytest.fixture(scope="module")
def first(runner: Runner, administrator: User) -> dict[str, dict[str, str]]:
    """Outputs of the jobs of the first run, after whose build the administrator lets GitHub in."""
    runner.run("build")
    _let_in(administrator, runner.scratch / "build" / "cdk.out")
    for job in ("review-ci", "security-ci", "deploy-ci"):
        runner.run(job)
    return dict(runner.outputs)


def _let_in(administrator: User, assembly: Path) -> None:
    """`cdk deploy ci/github`, of the assembly that the build has made: a synth less."""
    command = [str(BIN / "cdk"), "--app", str(assembly), "deploy", "ci/github", "--require-approval", "never"]
    done = subprocess.run(command, env=administrator.environ, cwd=PROJECT, capture_output=True, text=True, check=False)
    succeeded(done)


def test_a_first_deployment_waits_for_its_approval(first: dict[str, dict[str, str]]) -> None:
    assert first["review-ci"] == {"broadens": "true"}


def test_what_would_be_allowed_is_in_the_runs_summary(first: dict[str, dict[str, str]], runner: Runner) -> None:
    summary = (runner.scratch / "review-ci" / "summary.md").read_text()
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
    assert runner.run("review-ci") == {"broadens": "false"}


def test_an_assembly_that_was_not_built_is_not_deployed(first: dict[str, dict[str, str]], runner: Runner) -> None:
    artifact = runner.scratch / "artifact"
    built = artifact.read_bytes()
    artifact.write_bytes(built + b"\0")
    with pytest.raises(AssertionError, match="It is the one that was built"):
        runner.run("deploy-ci")
    artifact.write_bytes(built)


def test_the_reviews_role_may_not_ask_the_endpoint(first: dict[str, dict[str, str]], administrator: User) -> None:
    session = administrator.client("sts").assume_role_with_web_identity(
        RoleArn=f"{ROLE}-github-review", RoleSessionName="review", WebIdentityToken="a.job.token"
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
