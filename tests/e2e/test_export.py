"""An exported environment: one template that boto3 alone deploys, in an account that has never seen the CDK."""

import json
import shutil

import pytest

from tests.e2e.conftest import REGION, UNVALIDATED_APP, User, succeeded

BARE, STACK = "777777777777", "launched"


@pytest.fixture(scope="module")
def template(user: User) -> str:
    shutil.copy(UNVALIDATED_APP, user.scratch / "app.py")
    with user.having("plain", {"region": REGION, "network": {"runtime_endpoint": False}}):
        return succeeded(user.mistral7b("export", "plain")).stdout


def test_boto3_alone_creates_it_and_the_endpoint_answers(user: User, template: str) -> None:
    cloudformation = user.client("cloudformation", BARE)
    cloudformation.create_stack(StackName=STACK, TemplateBody=template, Capabilities=["CAPABILITY_NAMED_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    answer = user.client("sagemaker-runtime", BARE).invoke_endpoint(
        EndpointName="mistral-7b-instruct-plain", ContentType="application/json", Body=json.dumps({"inputs": "Hello"})
    )
    assert "generated_text" in answer["Body"].read().decode()
    cloudformation.delete_stack(StackName=STACK)
    cloudformation.get_waiter("stack_delete_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})


def test_it_needs_neither_bootstrap_nor_assets(template: str) -> None:
    exported = json.loads(template)
    assert exported.keys() == {"Description", "Resources", "Outputs"}
    assert "cdk-hnb659fds" not in template


def test_a_file_that_is_wrong_is_said_as_with_every_command(user: User) -> None:
    with user.having("wrong", {"region": REGION, "modle": "base"}):
        result = user.mistral7b("export", "wrong")
    assert (result.returncode, result.stdout) == (2, "")
    assert "modle" in result.stderr
