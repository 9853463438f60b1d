"""`mistral7b smoke`: what is printed, for people and for scripts, and the exit status."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.cli.conftest import target

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

NOT_CHECKED = "not checked: MAX_CONCURRENT_REQUESTS (shows only under overload, which a check must not cause)"


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


def test_limit_that_differs_from_the_file_fails_with_both_numbers(run: Run, changed: Path) -> None:
    result = run("smoke", "small", "--environments", str(changed))
    assert result.status == 1
    told = "mistral7b: 2 of 10 checks failed: MAX_INPUT_LENGTH, prompt too long\nfix: if the file has "
    assert told in result.err
    lines = result.out.splitlines()
    (failed,) = [n for n, line in enumerate(lines) if line.split()[0::3][:2] == ["FAIL", "MAX_INPUT_LENGTH"]]
    assert (lines[failed].split()[-1], lines[failed + 1].split()) == ("150", ["expected", "160"])
    assert "8 of 10 checks passed" in lines[-1]


def test_overloaded_endpoint_is_reported_as_overloaded(run: Run) -> None:
    result = run("smoke", "busy")
    assert result.status == 1
    assert result.out.count("overloaded (429): Model is overloaded") == 8
    assert "The endpoint is overloaded, which says nothing of its settings\nfix: run it again later" in result.err


def test_an_endpoint_that_does_not_answer_fails_within_the_time_that_was_given(run: Run) -> None:
    started = time.monotonic()
    result = run("smoke", "stuck", "--timeout", "2")  # long enough for the other checks on a busy machine
    assert time.monotonic() - started < 20  # the endpoint itself takes a minute
    assert result.status == 1
    assert result.err.endswith("mistral7b: 2 of 10 checks failed: answer, stream\n")
    assert result.out.count(" no whole answer in time: ") == 2


def test_alarms_to_wait_for_have_to_be_in_the_file(run: Run) -> None:
    result = run("smoke", "small", "--quiet", "30")
    assert result.status == 2
    assert "--quiet 30: small has no alarms\nfix: add alarms: {} to " in result.err


@pytest.mark.parametrize("seconds", ["0", "-1", "56", "nan", "inf"])
def test_timeout_out_of_range_is_rejected(run: Run, seconds: str) -> None:
    result = run("smoke", "dev", "--timeout", seconds)
    assert result.status == 2
    assert f"--timeout {seconds}: it is out of range\nfix: give 0.1 to 55 seconds" in result.err


def test_limits_that_leave_no_room_for_a_prompt_are_reported_with_the_file(run: Run, tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text("region: us-east-1\ntgi: {MAX_INPUT_LENGTH: 1, MAX_TOTAL_TOKENS: 3}\n")
    told = run("smoke", "tiny", "--environments", str(tmp_path)).err
    assert f"{tmp_path}/tiny.yaml: tgi.MAX_INPUT_LENGTH 1 leaves room for no prompt" in told
