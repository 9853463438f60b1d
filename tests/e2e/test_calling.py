"""`invoke --show-code`: what it prints is run as it is against a deployed endpoint, and stands in docs/calling.md."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from werkzeug import Request, Response
from werkzeug.serving import make_server

from mistral7b.environment import load_environment
from sagehost.lifecycle import State
from tests.e2e.conftest import BIN, PROJECT, REGION
from tests.unit.cli.conftest import run_main

ACCOUNT = "787878787878"
ANSWER = "This is the embedded AWS"
IMAGE = (
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:"
    "2.0.1-tgi1.1.0-gpu-py39-cu118-ubuntu20.04"
)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}

Show = Callable[..., str]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an environment `dev`, as the documentation has it."""
    folder = tmp_path_factory.mktemp("environments")
    (folder / "dev.yaml").write_text(f"region: {REGION}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def environ(server: State, files: Path) -> dict[str, str]:
    """The process environment of a caller of the account in which dev's endpoint and parameter are."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    settings = server.settings(ACCOUNT, REGION)
    env = load_environment(files, "dev")
    session = boto3.Session(settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    iam, ssm, sagemaker = (session.client(name, endpoint_url=server.url) for name in ("iam", "ssm", "sagemaker"))
    role = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    container = {"Image": IMAGE, "Environment": env.container_environment()}
    sagemaker.create_model(ModelName="dev", ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "AllTraffic", "ModelName": "dev", "InstanceType": "ml.g5.2xlarge"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="dev", ProductionVariants=[variant | {"InitialInstanceCount": 1}]
    )
    name = env.resolved_endpoint_name
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName="dev")
    while sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] != "InService":
        time.sleep(0.02)
    ssm.put_parameter(Name="/mistral7b/dev/endpoint-name", Value=name, Type="String")
    return inherited | settings


@pytest.fixture(scope="module")
def show(files: Path) -> Show:
    """What `mistral7b invoke dev --show-code` prints, without credentials and with no way to AWS."""

    def _show(*arguments: str, url: str = "") -> str:
        command = [str(BIN / "mistral7b"), "invoke", "dev", *arguments, "--environments", str(files)]
        nowhere = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_ENDPOINT_URL": url}
        return subprocess.run(
            command, env={"PATH": os.environ["PATH"], **nowhere}, capture_output=True, text=True, check=True, timeout=60
        ).stdout

    return _show


def run(environ: dict[str, str], *command: str, **more: str) -> str:
    """What a program prints, which has to succeed."""
    done = subprocess.run(command, env=environ | more, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def curl_version() -> tuple[int, ...]:
    try:
        told = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    except OSError:
        return ()
    return tuple(map(int, told.split()[1].split(".")[:2]))


needs_curl = pytest.mark.skipif(curl_version() < (7, 75), reason="curl signs requests since 7.75")


@pytest.mark.parametrize("mode", [(), ("--stream",)], ids=["whole", "stream"])
def test_the_python_code_prints_the_answer(environ: dict[str, str], show: Show, mode: tuple[str, ...]) -> None:
    code = show('What\'s "é"?\n{name} \\n 😀 $HOME', "--show-code", *mode, "-p", "do_sample=true", "-p", "stop=[]")
    assert run(environ, sys.executable, "-c", code).strip().startswith(ANSWER)


def test_the_python_code_sends_what_invoke_sends(environ: dict[str, str], show: Show, files: Path) -> None:
    asked = ('What\'s "é"?\n{name}', "-p", "max_new_tokens=50")
    program = run(environ, sys.executable, "-c", show(*asked, "--show-code", "python"))
    command = [str(BIN / "mistral7b"), "invoke", "dev", *asked, "--environments", str(files)]
    assert program.strip() == run(environ, *command).strip()


def test_the_streaming_code_tells_the_containers_error(environ: dict[str, str], show: Show) -> None:
    code = show("Hello!", "--show-code", "--stream").replace("[INST] Hello! [/INST]", "")
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "`inputs` cannot be empty" in done.stderr


@pytest.fixture(scope="module")
def session(environ: dict[str, str]) -> dict[str, str]:
    """The process environment's keys for a session of a role."""
    url = environ["AWS_ENDPOINT_URL"]
    keys = boto3.Session(environ["AWS_ACCESS_KEY_ID"], environ["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    trusted = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [trusted]})
    role = keys.client("iam", endpoint_url=url).create_role(RoleName="caller", AssumeRolePolicyDocument=trust)["Role"]
    made = keys.client("sts", endpoint_url=url).assume_role(RoleArn=role["Arn"], RoleSessionName="me")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


@needs_curl
@pytest.mark.parametrize("of_a_role", [False, True])
def test_the_curl_command_gets_the_answer(
    environ: dict[str, str], show: Show, session: dict[str, str], of_a_role: bool
) -> None:
    command = show('What\'s "é"?', "--show-code", "curl", url=environ["AWS_ENDPOINT_URL"])
    keys = session if of_a_role else {"AWS_SESSION_TOKEN": ""}
    (answer,) = json.loads(run(environ, "sh", "-c", command, **keys))
    assert answer["generated_text"].strip().startswith(ANSWER)


@needs_curl
@pytest.mark.parametrize("token", [None, "token"])
def test_the_curl_command_signs_the_request_as_botocore_does(
    environ: dict[str, str], show: Show, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    expected, sent = list[str](), list[str]()

    @Request.application
    def service(request: Request) -> Response:
        signed = re.search(r"SignedHeaders=(.*?),", request.headers["Authorization"])
        assert signed is not None
        headers = {name: request.headers[name] for name in signed[1].split(";")}
        again = AWSRequest("POST", request.url, headers, request.get_data())
        again.context["timestamp"] = headers["x-amz-date"]
        auth = SigV4Auth(Credentials("key", "secret", token), "sagemaker", REGION)
        expected.append(auth.signature(auth.string_to_sign(again, auth.canonical_request(again)), again))
        sent.append(request.headers["Authorization"].rpartition("=")[2])
        return Response("[]")

    server = make_server("127.0.0.1", 0, service)
    threading.Thread(target=server.handle_request).start()
    command = show("Hello!", "--show-code", "curl", url=f"http://127.0.0.1:{server.port}")
    settings = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": token or ""}
    assert run(environ, "sh", "-c", command, **settings) == "[]"
    assert sent == expected


@pytest.mark.parametrize(
    ("arguments", "heading"),
    [
        ((), "Python"),
        (("--stream",), "Python, streaming the answer"),
        (("curl",), "curl"),
        (("cli",), "AWS CLI"),
    ],
)
def test_the_documents_code_is_what_the_command_prints(
    files: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    heading: str,
) -> None:
    text = (PROJECT / "docs" / "calling.md").read_text(encoding="utf-8")
    section = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```(?:python|sh)\n(.*?)```", section, re.DOTALL)
    own = ("--show-code", *arguments, "--environments", str(files))
    assert block == run_main(monkeypatch, capsys, "invoke", "dev", *own).out
