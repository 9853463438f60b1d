"""An account bootstrapped with the policies that the command writes, in place of an administrator's."""

import json
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sagehost.accounts import credentials
from tests.e2e.conftest import BIN, PROJECT, REGION, TOOLS_ACCOUNT, User, said, succeeded

ACCOUNT = "555555555555"
NAME = "restricted"
EXECUTION_ROLE = f"cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-{REGION}"


@pytest.fixture(scope="module")
def restricted(user: User, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    """The user, after what the command prints for an environment has been run."""
    folder = tmp_path_factory.mktemp("policies of this project")
    with user.having(NAME, {"account": ACCOUNT, "region": REGION}):
        command = [
            str(BIN / "mistral7b"),
            "bootstrap-policy",
            NAME,
            "-o",
            str(folder),
            "--environments",
            str(user.files),
        ]
        written = succeeded(
            subprocess.run(command, cwd=PROJECT, env=user.environ, capture_output=True, text=True, check=False)
        )
        iam = user.client("iam", ACCOUNT)
        for line in map(shlex.split, written.stdout.splitlines()):
            if line[:3] == ["aws", "iam", "create-policy"]:
                named, document = line[4], Path(line[6].removeprefix("file://"))
                iam.create_policy(PolicyName=named, PolicyDocument=document.read_text())
            elif line[:1] == ["cdk"]:
                own = credentials(ACCOUNT, REGION, secret=user.secret)
                succeeded(user.cdk(*line[1:], "--trust", TOOLS_ACCOUNT, extra=own))
        yield user


def test_an_environment_is_deployed_and_removed_under_the_written_policies(restricted: User) -> None:
    attached = restricted.client("iam", ACCOUNT).list_attached_role_policies(RoleName=EXECUTION_ROLE)
    names = {one["PolicyName"] for one in attached["AttachedPolicies"]}
    assert names
    assert all(name.startswith("mistral-7b-deployment-") for name in names)
    restricted.deploy(NAME)
    succeeded(restricted.cdk("destroy", f"{NAME}/*", "--force"))


def test_without_one_of_its_actions_the_deployment_names_what_is_denied(restricted: User) -> None:
    deny = {"Effect": "Deny", "Action": "sagemaker:CreateModel", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
    iam = restricted.client("iam", ACCOUNT)
    iam.put_role_policy(RoleName=EXECUTION_ROLE, PolicyName="less", PolicyDocument=document)
    result = restricted.try_to_deploy(NAME)
    assert result.returncode != 0
    assert f"{EXECUTION_ROLE}/AWSCloudFormation is not authorized to perform: sagemaker:CreateModel" in said(result)
