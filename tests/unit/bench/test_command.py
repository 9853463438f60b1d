"""`mistral7b bench`, with Locust, against an endpoint whose answers take a known time."""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

import pytest

from mistral7b.bench.plan import Cell
from mistral7b_cli import main
from tests.unit.bench.known_times import KnownTimes, serving

with_locust = pytest.mark.skipif(find_spec("locust") is None, reason="takes requirements/bench.txt")


def bench(folder: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "environments").mkdir(exist_ok=True)
    (folder / "environments" / "load.yaml").write_text("region: us-east-1\n")
    command = [sys.executable, "-c", "from mistral7b_cli import main; main()", "bench", "load", *arguments]
    keys = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
    root = os.pathsep.join(sys.path)
    variables = os.environ | keys | {"PYTHONPATH": root}
    return subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, KnownTimes, str]:
    """Answers and streams for four users, of which every ninth request is refused."""
    folder = tmp_path_factory.mktemp("bench with a space")
    with serving(KnownTimes(seconds=0.05, tokens=8, refuse=9)) as server:
        loads = ("--tokens", "16", "--users", "4", "--answer", "8", "--streaming", "both")
        done = bench(folder, server.url, *loads, "--json")
    return folder / "bench-load", server, done.stdout


@with_locust
def test_each_load_has_its_answers(run: tuple[Path, KnownTimes, str]) -> None:
    document = json.loads((run[0] / "report.json").read_text())
    assert [(one["name"], one["complete"]) for one in document["loads"]] == [
        ("16 tokens, 8 tokens out, 4 users", True),
        ("16 tokens, 8 tokens out, 4 users, streamed", True),
    ]
    assert json.loads(run[2]) == document


@with_locust
def test_no_request_is_dropped(run: tuple[Path, KnownTimes, str]) -> None:
    loads = json.loads((run[0] / "report.json").read_text())["loads"]
    assert sum(one["requests"] for one in loads) + 1 == len(run[1].bodies)  # one was sent before
    assert sum(one["errors"]["Overloaded (429)"] for one in loads) == len(run[1].bodies) // 9


@with_locust
def test_requests_have_the_prompt_and_the_length_that_were_asked_for(run: tuple[Path, KnownTimes, str]) -> None:
    *_, last = run[1].bodies
    assert last["parameters"] == {"max_new_tokens": 8, "details": True}


@with_locust
def test_the_first_token_of_a_stream_is_timed(run: tuple[Path, KnownTimes, str]) -> None:
    firsts = [
        record["first"]
        for record in map(json.loads, (run[0] / "requests.jsonl").read_text().splitlines())
        if record.get("cell") == 1 and record.get("tokens")
    ]
    assert firsts
    assert all(first >= 0.05 / 8 for first in firsts)


@with_locust
def test_everything_is_written(run: tuple[Path, KnownTimes, str]) -> None:
    written = {file.name for file in run[0].iterdir()}
    assert {"report.json", "table.md", "locust.html", "requests.jsonl"} <= written


@with_locust
def test_an_endpoint_that_answers_nothing_ends_the_run_with_a_message(tmp_path: Path) -> None:
    with serving(KnownTimes(refuse=1)) as server:
        done = bench(tmp_path, server.url, "--tokens", "16", "--users", "4")
    assert done.returncode == 1
    assert "is overloaded" in done.stderr


@with_locust
def test_an_endpoint_that_no_longer_answers_ends_the_run_with_a_partial_report(tmp_path: Path) -> None:
    with serving(KnownTimes(seconds=0.05, last=60)) as server:
        done = bench(tmp_path, server.url, "--tokens", "16,32", "--users", "4", "--answers", "500")
    assert done.returncode == 1
    assert "the run ended early: no answers" in done.stderr
    (load,) = json.loads((tmp_path / "bench-load" / "report.json").read_text())["loads"]
    assert load["complete"] is False
    assert load["counted"] > 0


CELL = Cell(prompt=16, unit="tokens", answer_tokens=8, users=2, counted=10)


def baseline(folder: Path) -> None:
    """Writes a report of one load, without figures."""
    measured = {"name": CELL.name, "cell": asdict(CELL), "requests": 24, "errors": {}, "figures": {}}
    (folder / "base.json").write_text(
        json.dumps({"instance_type": "ml.g5.2xlarge", "instances": 1, "loads": [measured]})
    )


@with_locust
def test_the_loads_of_the_baseline_are_measured_again(tmp_path: Path) -> None:
    baseline(tmp_path)
    with serving(KnownTimes(seconds=0.05, tokens=8)) as server:
        bench(tmp_path, server.url, "--check", "base.json")
    (load,) = json.loads((tmp_path / "bench-load" / "report.json").read_text())["loads"]
    assert (load["name"], load["complete"]) == (CELL.name, True)


@with_locust
def test_prompts_of_words_and_of_tokens_are_both_measured(tmp_path: Path) -> None:
    with serving(KnownTimes(seconds=0.05, tokens=8)) as server:
        bench(tmp_path, server.url, "--words", "8", "--tokens", "16", "--users", "1", "--answer", "8")
    loads = json.loads((tmp_path / "bench-load" / "report.json").read_text())["loads"]
    assert [one["name"] for one in loads] == ["8 words, 8 tokens out, 1 user", "16 tokens, 8 tokens out, 1 user"]


@with_locust
def test_an_option_that_locust_refuses_leaves_the_report_of_an_earlier_run(tmp_path: Path) -> None:
    report = tmp_path / "bench-load" / "report.json"
    report.parent.mkdir()
    report.write_text("of yesterday")
    with serving(KnownTimes(seconds=0.05, tokens=8)) as server:
        done = bench(tmp_path, server.url, "--tokens", "16", "--users", "1", "--", "--nonsense")
    assert done.returncode == 1
    assert "unrecognized arguments: --nonsense" in done.stderr
    assert report.read_text() == "of yesterday"


def test_loads_that_the_baseline_does_not_have_are_refused_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "load.yaml").write_text("region: us-east-1\n")
    baseline(tmp_path)
    monkeypatch.chdir(tmp_path)
    arguments = ["bench", "load", "--environments", "environments", "--check", "base.json", "--users", "1"]
    monkeypatch.setattr("sys.argv", ["mistral7b", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"{CELL.name}: not among the loads\nfix: leave --words" in capsys.readouterr().err


@with_locust
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--users", "1,x"], "--users 1,x: not whole numbers from 1 to 1,000,000\nfix: write --users 2,8"),
        (["--rate", "0"], "--rate 0: not numbers above 0, up to 1,000,000\nfix: write --rate 2,8"),
        (["--rate", "nan"], "--rate nan: not numbers above 0"),
        (["--tolerance", "-5%"], "--tolerance -5%: no percentage\nfix: write --tolerance 10%"),
        (["--tokens", "1"], "--tokens 1: there is no such prompt\nfix: the shortest has 2 tokens"),
        (["--tokens", "9000"], "the prompt is too long: 9000 tokens"),
        (["--check", "none.json"], "none.json: there is no such file\nfix: write one: mistral7b bench"),
        (["--check", "environments/load.yaml"], "environments/load.yaml: no report of this command"),
        (["--update-baseline"], "--update-baseline: there is no file to write\nfix: add --check FILE"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_wrong_argument_is_named_with_its_fix(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments" / "load.yaml").write_text("region: us-east-1\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["mistral7b", "bench", "load", "--environments", "environments", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert f"mistral7b: {message}" in capsys.readouterr().err
