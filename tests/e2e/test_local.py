"""`mistral7b local`: the embedded AWS in the background."""

import json
import os
import pty
import shlex
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import BIN
from tests.unit.container.backend_servers import served


def local(state: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `mistral7b local` with a state folder of the test's own."""
    return subprocess.run(
        [str(BIN / "mistral7b"), "local", *arguments, "--state", str(state)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env=os.environ | (extra or {}),
    )


def at_a_terminal(state: Path, *arguments: str) -> str:
    """What `mistral7b local` says on standard error where its standard output is a terminal."""
    ours, theirs = pty.openpty()
    command = [str(BIN / "mistral7b"), "local", *arguments, "--state", str(state)]
    try:
        done = subprocess.run(command, stdout=theirs, stderr=subprocess.PIPE, text=True, check=True, timeout=60)
    finally:
        os.close(theirs)
        os.close(ours)
    return done.stderr


def shell(script: str, **variables: str) -> list[str]:
    """Lines that a POSIX shell prints, in which `mistral7b` is on the path; it has no AWS settings and no proxies."""
    own = {n: v for n, v in os.environ.items() if not n.startswith("AWS_") and not n.lower().endswith("_proxy")}
    path = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environ = own | path | variables
    done = subprocess.run(["sh", "-c", script], env=environ, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The state folder of a server that `local up` has started."""
    folder = tmp_path_factory.mktemp("local") / "state"
    local(folder, "up", "--port", "0")
    yield folder
    local(folder, "down")


def running(state: Path) -> dict[str, Any]:
    """What `local status` tells scripts."""
    told: dict[str, Any] = json.loads(local(state, "status", "--json").stdout)
    return told


def test_up_prints_settings_that_lead_any_shell_to_it(state: Path) -> None:
    printed = local(state, "up", "--account", "555555555555").stdout
    exports = dict(shlex.split(line)[1].split("=", 1) for line in printed.splitlines())
    program = "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
    asked = subprocess.run(
        [str(BIN / "python"), "-c", program], env=os.environ | exports, capture_output=True, text=True, check=True
    )
    assert asked.stdout.strip() == "555555555555"


def test_a_second_up_finds_the_first(state: Path) -> None:
    first = running(state)["pid"]
    assert json.loads(local(state, "up", "--port", "0", "--json").stdout)["pid"] == first


def test_the_clock_runs_as_this_machines_unless_told_otherwise(state: Path) -> None:
    assert running(state)["speed"] == "1"


@pytest.mark.parametrize("options", [("--port", "0", "--speed", "20"), ("--port", "1")], ids=["speed", "port"])
def test_a_server_that_runs_is_not_started_otherwise(state: Path, options: tuple[str, ...]) -> None:
    result = local(state, "up", *options)
    assert (result.returncode, result.stdout) == (1, "")
    assert "runs already, at http://localhost:" in result.stderr
    assert ", speed 1\nfix: stop it first (mistral7b local down)" in result.stderr


@pytest.mark.parametrize("speed", ["1", "1.0"])
def test_the_same_options_again_are_no_change(state: Path, speed: str) -> None:
    result = local(state, "up", "--port", "0", "--speed", speed)
    assert (result.returncode, "runs already" in result.stderr) == (0, True)


def test_a_server_with_a_model_tells_where_the_model_is(tmp_path: Path) -> None:
    with served("Ollama") as model:
        local(tmp_path, "up", "--port", "0", "--model-url", model.url)
        told = running(tmp_path)
        local(tmp_path, "down")
    assert (told["variables"], told["speed"]) == ({"MISTRAL7B_MODEL_URL": model.url}, "1")


def test_a_port_that_is_taken_is_named_with_the_fix(state: Path, tmp_path: Path) -> None:
    port = running(state)["port"]
    result = local(tmp_path / "other", "up", "--port", str(port))
    assert result.returncode == 1
    assert f"cannot listen on port {port}" in result.stderr
    assert "fix: name another port" in result.stderr


def test_status_tells_by_its_exit_status_whether_it_runs(state: Path, tmp_path: Path) -> None:
    assert local(state, "status").returncode == 0
    assert local(tmp_path / "nothing", "status").returncode == 1


def test_down_ends_the_process_of_the_state_folder_in_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    started = local(Path("state"), "up", "--port", "0", "--json")
    assert started.returncode == 0, started.stderr
    assert (tmp_path / "state" / "server.log").exists()
    assert "is stopped" in local(Path("state"), "down").stderr
    with pytest.raises(ProcessLookupError):
        os.kill(json.loads(started.stdout)["pid"], 0)


def test_an_account_that_is_none_is_refused_with_the_fix(tmp_path: Path) -> None:
    result = local(tmp_path, "up", "--account", "12")
    assert result.returncode == 2
    assert "fix: give 12 digits" in result.stderr


def test_a_region_that_aws_does_not_have_is_refused_with_the_nearest(tmp_path: Path) -> None:
    result = local(tmp_path, "up", "--region", "us-esat-1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "--region us-esat-1: AWS has no such region\nfix: did you mean us-east-1?" in result.stderr


def test_govcloud_is_refused_by_its_name(tmp_path: Path) -> None:
    result = local(tmp_path, "up", "--region", "us-gov-west-1")
    assert (result.returncode, result.stdout) == (2, "")
    assert "AWS GovCloud (US) is not emulated" in result.stderr


def test_at_a_terminal_up_says_how_a_shell_takes_its_settings(state: Path) -> None:
    told = at_a_terminal(state, "up", "--account", "555555555555")
    assert f'eval "$(mistral7b local up --account 555555555555 --state {state})"' in told.replace("\n", "")


def test_at_a_terminal_down_says_how_a_shell_drops_its_settings(tmp_path: Path) -> None:
    assert f'eval "$(mistral7b local down --state {tmp_path})"' in at_a_terminal(tmp_path, "down").replace("\n", "")


def test_to_a_shell_up_gives_no_hint(state: Path) -> None:
    assert "eval" not in local(state, "up").stderr


def test_down_undoes_in_a_shell_what_up_has_set(tmp_path: Path) -> None:
    script = f"""
        eval "$(mistral7b local up --port 0 --state {tmp_path})"
        test -n "$AWS_ENDPOINT_URL" || exit 1
        eval "$(mistral7b local down --state {tmp_path})"
        env
    """
    left = [line for line in shell(script) if line.upper().startswith(("AWS_", "NO_PROXY"))]
    assert left == []


def test_down_restores_the_users_no_proxy(tmp_path: Path) -> None:
    script = f"""
        eval "$(mistral7b local up --port 0 --state {tmp_path})"
        eval "$(mistral7b local down --state {tmp_path})"
        echo "$NO_PROXY"
    """
    assert shell(script, NO_PROXY="corp.example") == ["corp.example"]


def test_down_keeps_credentials_that_are_not_of_the_embedded_aws(tmp_path: Path) -> None:
    assert local(tmp_path, "down", extra={"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}).stdout == ""


def test_down_tells_scripts_what_it_undoes(tmp_path: Path) -> None:
    told = json.loads(local(tmp_path, "down", "--json", extra={"AWS_ACCESS_KEY_ID": "", "no_proxy": "a"}).stdout)
    assert told["stopped"] is False
    assert (told["environment"]["AWS_ENDPOINT_URL"], told["environment"]["NO_PROXY"]) == (None, "a")


def test_behind_a_proxy_the_embedded_aws_is_called_without_it(tmp_path: Path) -> None:
    """That the CDK CLI does so, too, test_demo_of_own_files shows."""
    script = f"""
        eval "$(mistral7b local up --port 0 --state {tmp_path})"
        python -c "import boto3; print(boto3.client('sts').get_caller_identity()['Account'])"
        mistral7b local down --state {tmp_path} > /dev/null
    """
    dead = "http://127.0.0.1:9"
    assert shell(script, HTTP_PROXY=dead, HTTPS_PROXY=dead, http_proxy=dead, https_proxy=dead) == ["123456789012"]
