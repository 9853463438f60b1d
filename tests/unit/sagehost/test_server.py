"""The server as a process: what it answers, how it starts and how it ends."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sagehost.__main__ import main
from sagehost.accounts import credentials
from sagehost.lifecycle import State, running_server
from tests.unit.sagehost.cloudformation.templates import hosting, topic


@pytest.fixture(scope="module")
def server() -> Iterator[State]:
    with running_server() as state:
        yield state


def client(server: State, service: str, account: str = "111122223333") -> Any:
    variables = credentials(account, secret=server.secret)
    return boto3.client(
        service,
        endpoint_url=server.url,
        region_name="us-east-1",
        aws_access_key_id=variables["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=variables["AWS_SECRET_ACCESS_KEY"],
        config=Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def get(server: State, path: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", path)
    return connection.getresponse()


def test_the_health_route_tells_the_process(server: State) -> None:
    answer = json.load(get(server, "/_sagehost/health"))
    assert (answer["status"], answer["pid"]) == ("ready", server.pid)
    assert answer["version"]


def test_the_health_route_tells_time_and_speed_of_the_clock(server: State) -> None:
    answer = json.load(get(server, "/_sagehost/health"))
    assert datetime.fromisoformat(answer["now"]).tzinfo is not None
    assert answer["speed"] == 1


def test_accounts_do_not_see_each_other(server: State) -> None:
    client(server, "sns", "111111111111").create_topic(Name="mine")
    assert len(client(server, "sns", "111111111111").list_topics()["Topics"]) == 1
    assert client(server, "sns", "222222222222").list_topics()["Topics"] == []


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("sns", "create_sms_sandbox_phone_number", {"PhoneNumber": "+4912345678"}),  # query
        ("ec2", "describe_mac_hosts", {}),  # ec2
        ("logs", "list_anomalies", {}),  # json
        ("lambda", "list_durable_executions_by_function", {"FunctionName": "f"}),  # rest-json
        ("cloudwatch", "list_alarm_mute_rules", {}),  # rpc-v2-cbor or query
    ],
)
def test_what_is_not_emulated_is_refused_at_once_in_the_services_protocol(
    server: State, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(client(server, service), operation)(**arguments)
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    assert "not emulated" in refused.value.response["Error"]["Message"]


def test_a_service_that_is_not_emulated_is_refused_at_once(server: State) -> None:
    with pytest.raises(ClientError, match="not emulated") as refused:
        client(server, "wickr").list_networks()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_motos_own_pages_are_not_served(server: State) -> None:
    answer = get(server, "/moto-api/")
    assert answer.status == 403
    assert b"<html" not in answer.read().lower()


def test_many_can_ask_at_once(server: State) -> None:
    topics = client(server, "sns", "333333333333")
    with ThreadPoolExecutor(16) as pool:
        arns = set(pool.map(lambda number: topics.create_topic(Name=f"t{number}")["TopicArn"], range(64)))
    assert len(arns) == 64


def test_ipv6_clients_are_served_where_there_is_ipv6(server: State) -> None:
    try:
        connection = socket.create_connection(("::1", server.port), timeout=5)
    except OSError:
        pytest.skip("no IPv6 on loopback")
    connection.close()


def start(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], Path]:
    ready = tmp_path / "ready.json"
    command = [sys.executable, "-m", "sagehost", "--port", "0", "--ready-file", str(ready), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), ready


def wait_for(ready: Path, process: subprocess.Popen[str]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return dict(json.loads(ready.read_text()))


def test_a_busy_port_is_one_line_and_exit_code_1(tmp_path: Path, server: State) -> None:
    process, _ = start(tmp_path, "--port", str(server.port))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1
    assert errors.startswith(f"cannot listen on port {server.port}: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds_also_with_a_stack_under_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("SAGEHOST_ENDPOINT_SECONDS", "600")
    process, ready = start(tmp_path)
    told = wait_for(ready, process)
    state = State(**told, log="")
    with ThreadPoolExecutor(1) as asking:
        asking.submit(create_a_stack, state, hosting())
        wait_until_in_progress(state)
        started = time.monotonic()
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    assert time.monotonic() - started < 2
    assert process.returncode == 0
    assert "Traceback" not in errors


def create_a_stack(server: State, resources: Mapping[str, Any]) -> str:
    body = json.dumps({"Resources": resources})
    cloudformation = client(server, "cloudformation")
    made = cloudformation.create_stack(StackName="it", TemplateBody=body, Capabilities=["CAPABILITY_IAM"])
    (stack,) = cloudformation.describe_stacks(StackName=made["StackId"])["Stacks"]
    return str(stack["StackStatus"])


def wait_until_in_progress(server: State) -> None:
    deadline = time.monotonic() + 30
    while not client(server, "sagemaker").list_endpoints(StatusEquals="Creating")["Endpoints"]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_does_not_read_the_users_aws_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "config").write_text("not an ini file [")
    with monkeypatch.context() as of_the_server:
        of_the_server.delenv("AWS_CONFIG_FILE", raising=False)
        of_the_server.setenv("HOME", str(tmp_path))
        of_the_server.setenv("AWS_PROFILE", "missing")
        process, ready = start(tmp_path)
    try:
        told = wait_for(ready, process)
        state = State(**told, log="")
        assert create_a_stack(state, topic()) == "CREATE_COMPLETE"
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.parametrize("port", ["65536", "-1", "http", "²"])
def test_a_port_that_is_none_is_refused_with_the_range(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--port", port])
    assert ended.value.code == 2
    assert f"argument --port: {port!r} is not a port: give a number from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("SAGEHOST_ENDPOINT_SECONDS", "a number from 0"),
        ("SAGEHOST_NOW", "a time such as 2026-03-02T08:00:00+01:00"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str, expected: str
) -> None:
    monkeypatch.setenv(variable, "soon")
    process, _ = start(tmp_path)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (2, f"{variable} must be {expected}, not 'soon'\n")
