"""The wheel of the constructs alone: another app deploys the README's five lines, without our other packages."""

import json
import os
import re
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import BIN, PROJECT, User, succeeded

CONSTRUCTS = PROJECT / "constructs"
OURS = ("mistral7b", "mistral7b_stacks", "mistral7b_cli", "sagehost")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a virtual environment with the wheel and the locked packages of others; no index is asked."""
    folder = tmp_path_factory.mktemp("constructs wheel")
    shutil.copytree(CONSTRUCTS, folder / "source", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__", "build"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    built = ["wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(folder / "source")]
    run(*pip, *built)
    [wheel] = folder.glob("*.whl")
    subprocess.run([sys.executable, "-m", "venv", "--symlinks", "--without-pip", str(folder / "venv")], check=True)
    python = folder / "venv" / "bin" / "python"
    run(*pip, "--python", str(python), "install", "--no-deps", "--no-index", "--no-compile", str(wheel))
    # A folder that a .pth file names is searched, but .pth files in it are not read: those that lead to our sources.
    [packages] = (folder / "venv" / "lib").glob("*/site-packages")
    (packages / "locked.pth").write_text("\n".join(site.getsitepackages()))
    return python


def run(*command: str, folder: Path | None = None, **settings: str) -> str:
    """What a command prints that succeeds, in a folder without our packages."""
    environment = {"PATH": f"{BIN}:/usr/bin:/bin", "JSII_NODE": os.environ["JSII_NODE"]} | settings
    result = subprocess.run(
        command, cwd=folder or BIN, env=environment, capture_output=True, text=True, check=False, timeout=180
    )
    return succeeded(result).stdout


def test_the_environment_has_the_constructs_and_none_of_our_other_packages(python: Path) -> None:
    program = f"""
import importlib.util, json, sagemaker_tgi
print(json.dumps([sagemaker_tgi.__file__, [name for name in {OURS} if importlib.util.find_spec(name)]]))
"""
    file, others = json.loads(run(str(python), "-c", program))
    assert Path(file).is_relative_to(python.parents[1])
    assert others == []


def test_the_five_lines_of_the_readme_deploy_an_endpoint_that_answers(python: Path, user: User, tmp_path: Path) -> None:
    example = re.findall(r"```python\n(.*?)```", (CONSTRUCTS / "sagemaker_tgi" / "README.md").read_text(), re.DOTALL)[0]
    (tmp_path / "app.py").write_text(example)
    (tmp_path / "cdk.json").write_text(json.dumps({"app": f"'{python}' app.py"}))
    account = {name: value for name, value in user.environ.items() if name.startswith("AWS_") or name == "HOME"}
    run(str(BIN / "cdk"), "deploy", "Chat", "--require-approval", "never", folder=tmp_path, **account)
    [endpoint] = user.client("sagemaker").list_endpoints(NameContains="Chat-Endpoint")["Endpoints"]
    answer = user.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=endpoint["EndpointName"], ContentType="application/json", Body=json.dumps({"inputs": "Hello"})
    )
    assert "generated_text" in answer["Body"].read().decode()
    user.client("cloudformation").delete_stack(StackName="Chat")
    user.client("cloudformation").get_waiter("stack_delete_complete").wait(StackName="Chat", WaiterConfig={"Delay": 1})
