"""`mistral7b demo --environment`: a user's environment as it stands, with all that it takes for granted."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.e2e.conftest import BIN, UNVALIDATED_APP
from tests.e2e.test_demo import make_project, processes_with, traces

ACCOUNT, REGION = "444455556666", "us-west-2"
KEY = "mrk-0123456789abcdef0123456789abcdef"
VALUES = {
    "account": ACCOUNT,
    "region": REGION,
    "model": "base",
    "tgi": {"MAX_CONCURRENT_REQUESTS": 4, "MAX_INPUT_LENGTH": 60, "MAX_TOTAL_TOKENS": 100},
    "network": {
        "existing_vpc": {
            "vpc_id": "vpc-0123456789abcdef0",
            "cidr": "10.20.0.0/24",
            "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"],
            "availability_zones": ["us-west-2a", "us-west-2b"],
            "route_table_ids": ["rtb-0123456789abcdef0"],
        }
    },
    "auto_scaling": {"max_instances": 3, "target_concurrent_requests": 3},
    "callers": {"role_names": ["search-backend"]},
    "data_capture": {},
    "encryption": {"kms_key_arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEY}"},
    "removal": {"log_group": "retain", "captured_data": "destroy"},
    "termination_protection": True,
    "compliance_packs": [],
}
"""Limits that the published prompt exceeds, and the number by which the demo's own example is updated."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose accounts have a qualifier and a permissions boundary, and the CDK CLI from `npm ci`."""
    own = {
        "@aws-cdk/core:bootstrapQualifier": "team7b",
        "@aws-cdk/core:permissionsBoundary": {"name": "limits-${Qualifier}"},
    }
    folder = make_project(tmp_path_factory.mktemp("project"), UNVALIDATED_APP, **own)
    (folder / "ours").mkdir()
    (folder / "ours" / "search.yaml").write_text(yaml.safe_dump(VALUES))
    return folder


def demo(project: Path, temporary: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the demo, behind a proxy that does not answer, where neither Python nor CDK CLI is on PATH."""
    dead = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    others = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"}
    return subprocess.run(
        [str(BIN / "mistral7b"), "demo", "--environments", "ours", *arguments],
        cwd=project,
        env=others | dead | {"TMPDIR": str(temporary), "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.fixture(scope="module")
def temporary(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demo's temporary files are."""
    return tmp_path_factory.mktemp("temporary")


@pytest.fixture(scope="module")
def shown(project: Path, temporary: Path) -> Iterator[subprocess.CompletedProcess[str]]:
    """The demo of the user's environment."""
    before = traces(project)
    yield demo(project, temporary, "--environment", "search", "--json")
    assert traces(project) == before


def test_a_users_environment_is_deployed_updated_and_removed(shown: subprocess.CompletedProcess[str]) -> None:
    assert shown.returncode == 0, shown.stderr
    results = {step["title"]: step["result"] for step in json.loads(shown.stdout)}
    assert results["Deploy"] == "mistral-7b-base-search is InService"
    assert results["Send every example prompt"] == "the file's limits refuse sentiment_few_shot"
    assert "Update: MAX_CONCURRENT_REQUESTS becomes 5" in results
    assert results["Prove that nothing is left"].endswith("resources as before, and 1 that the file keeps")


@pytest.mark.parametrize(
    "line",
    [
        "created first: permissions boundary limits-team7b",
        "created first: role search-backend",
        "created first: VPC vpc-0123456789abcdef0 (10.20.0.0/24)",
        f"created first: KMS key {KEY}",
        "log group /aws/sagemaker/Endpoints/mistral-7b-base-search",
    ],
)
def test_what_the_file_takes_for_granted_and_keeps_is_listed(
    shown: subprocess.CompletedProcess[str], line: str
) -> None:
    assert line in shown.stderr


@pytest.mark.usefixtures("shown")
def test_a_demo_of_own_files_leaves_nothing(temporary: Path) -> None:
    assert list(temporary.iterdir()) == []
    assert processes_with(temporary) == []


def test_an_unknown_environment_is_a_mistake_that_names_the_others(project: Path, tmp_path: Path) -> None:
    refused = demo(project, tmp_path, "--environment", "serch")
    assert refused.returncode == 2
    assert "search" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_missing_cdk_cli_is_a_failure_with_its_fix(project: Path, tmp_path: Path) -> None:
    (tmp_path / "cdk.json").write_text("{}")
    refused = demo(tmp_path, tmp_path)
    assert refused.returncode == 1
    assert "make setup, or npm ci" in refused.stderr
    assert "Traceback" not in refused.stderr
