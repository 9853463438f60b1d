"""`mistral7b smoke`: what is printed, for people and for scripts, and the exit status."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.conftest import target

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Result, Run

NOT_CHECKED = "not checked: MAX_CONCURRENT_REQUESTS (shows only under overload, which a check must not cause)"


def one_line(result: Result) -> str:
    """The only line of a user's mistake, after that which names the endpoint."""
    assert (result.status, result.out) == (2, "")
    (line,) = [line for line in result.err.splitlines() if not line.endswith(", embedded AWS")]
    return line


def test_an_endpoint_that_serves_as_its_file_says_passes(run: Run) -> None:
    result = run("smoke", "base")
    assert (result.status, result.err) == (0, target("base", "base"))
    *lines, last = result.out.splitlines()
    assert sum(line.startswith("ok ") for line in lines) == 10
    assert NOT_CHECKED in lines
    assert last.startswith("10 of 10 checks passed in ")


def test_json_has_every_check_with_what_was_expected_and_got(run: Run) -> None:
    document = json.loads(run("smoke", "small", "--json").out)
    assert (document["passed"], document["overloaded"]) == (True, False)
    assert (document["endpoint"], document["region"]) == ("mistral-7b-instruct-small", "us-east-1")
    assert document["seconds"] == pytest.approx(sum(check["seconds"] for check in document["checks"]), abs=0.01)
    (found,) = [check for check in document["checks"] if check["name"] == "MAX_INPUT_LENGTH"]
    assert found.pop("seconds") > 0
    assert found == {"name": "MAX_INPUT_LENGTH", "passed": True, "expected": "150", "got": "150"}
    assert "MAX_CONCURRENT_REQUESTS" in document["not_told"]


@pytest.fixture
def changed(folder: Path, tmp_path: Path) -> Path:
    """Files in which `small` has another limit than its endpoint."""
    text = (folder / "small.yaml").read_text().replace("MAX_INPUT_LENGTH: 150", "MAX_INPUT_LENGTH: 160")
    (tmp_path / "small.yaml").write_text(text)
    return tmp_path


def test_a_limit_that_is_not_the_files_fails_with_both_numbers(run: Run, changed: Path) -> None:
    result = run("smoke", "small", "--environments", str(changed))
    assert result.status == 1
    assert result.err.endswith("mistral7b: 2 of 10 checks failed: MAX_INPUT_LENGTH, prompt too long\n")
    lines = result.out.splitlines()
    (failed,) = [n for n, line in enumerate(lines) if line.split()[0::3][:2] == ["FAIL", "MAX_INPUT_LENGTH"]]
    assert (lines[failed].split()[-1], lines[failed + 1].split()) == ("150", ["expected", "160"])
    assert "8 of 10 checks passed" in lines[-1]


def test_overload_is_told_as_such(run: Run) -> None:
    result = run("smoke", "busy")
    assert result.status == 1
    assert result.out.count("overloaded (429): Model is overloaded") == 8
    assert "The endpoint is overloaded, which says nothing of its settings: run it again" in result.err


def test_an_endpoint_that_does_not_answer_fails_within_the_time_that_was_given(run: Run) -> None:
    started = time.monotonic()
    result = run("smoke", "stuck", "--timeout", "2")  # long enough for the other checks on a busy machine
    assert time.monotonic() - started < 20  # the endpoint itself takes a minute
    assert result.status == 1
    assert result.err.endswith("mistral7b: 2 of 10 checks failed: answer, stream\n")
    assert result.out.count(" no whole answer in time: ") == 2


def test_an_endpoint_that_is_not_deployed_is_told_with_the_command_that_deploys_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As for a caller who may not describe it.
    monkeypatch.setattr("mistral7b.endpoint.caller.endpoint_status", lambda name, region: None)
    told = one_line(run("smoke", "missing"))
    assert "Endpoint mistral-7b-instruct-missing of account 123456789012 not found" in told
    assert "`cdk deploy 'missing/*'`" in told


def test_missing_credentials_are_told_and_no_json_is_printed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    assert "no AWS credentials" in one_line(run("smoke", "dev", "--json"))


def test_an_embedded_aws_that_is_down_is_told_with_the_command_that_starts_it(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    assert "`mistral7b local up`" in one_line(run("smoke", "dev"))


def test_an_unknown_environment_is_told_with_the_nearest_name(run: Run) -> None:
    result = run("smoke", "smal")
    assert (result.status, result.out) == (2, "")
    assert "Did you mean small?" in result.err


@pytest.mark.parametrize("seconds", ["0", "-1", "56", "nan", "inf"])
def test_a_time_that_is_none_is_refused(run: Run, seconds: str) -> None:
    assert f"--timeout {seconds}: give 0.1 to 55 seconds" in one_line(run("smoke", "dev", "--timeout", seconds))


def test_limits_that_leave_room_for_no_prompt_are_told_with_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text("region: us-east-1\ntgi: {MAX_INPUT_LENGTH: 1, MAX_TOTAL_TOKENS: 3}\n")
    told = one_line(run("smoke", "tiny", "--environments", str(tmp_path)))
    assert f"{tmp_path}/tiny.yaml: tgi.MAX_INPUT_LENGTH 1 leaves room for no prompt" in told
