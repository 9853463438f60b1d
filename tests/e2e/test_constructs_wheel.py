"""The wheel of the constructs alone: another app deploys the README's five lines, without our other packages."""

import json
from pathlib import Path

import pytest

from tests.documents import code
from tests.e2e.conftest import PROJECT, User, succeeded
from tests.e2e.wheels import Environment, build_release

CONSTRUCTS = PROJECT / "constructs"
OURS = ("mistral7b", "mistral7b_stacks", "mistral7b_cli", "sagehost")


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The wheel of the constructs and the locked packages of others."""
    folder = tmp_path_factory.mktemp("constructs wheel")
    return Environment.create(folder, build_release("sagemaker-tgi", folder))


def test_the_environment_has_the_constructs_and_none_of_our_other_packages(alone: Environment) -> None:
    program = f"""
import importlib.util, json, sagemaker_tgi
print(json.dumps([sagemaker_tgi.__file__, [name for name in {OURS} if importlib.util.find_spec(name)]]))
"""
    file, others = json.loads(succeeded(alone.run("python", "-c", program)).stdout)
    assert Path(file).is_relative_to(alone.folder)
    assert others == []


def test_the_five_lines_of_the_readme_deploy_an_endpoint_that_answers(
    alone: Environment, user: User, tmp_path: Path
) -> None:
    example, *_ = code(CONSTRUCTS / "sagemaker_tgi" / "README.md", "python")
    (tmp_path / "app.py").write_text(example)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": "python app.py"}))
    account = {name: value for name, value in user.environ.items() if name.startswith("AWS_")}
    succeeded(alone.run("cdk", "deploy", "Chat", "--require-approval", "never", folder=tmp_path, **account))
    [endpoint] = user.client("sagemaker").list_endpoints(NameContains="Chat-Endpoint")["Endpoints"]
    answer = user.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint["EndpointName"], ContentType="application/json", Body=json.dumps({"inputs": "Hello"})
    )
    assert "generated_text" in answer["Body"].read().decode()
    user.client("cloudformation").delete_stack(StackName="Chat")
    user.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName="Chat", WaiterConfig={"Delay": 1})
