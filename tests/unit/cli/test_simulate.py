"""`mistral7b simulate`, as a user runs it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from mistral7b_cli import main


@dataclass(frozen=True)
class Said:
    """What a run of the command left."""

    status: int
    out: str
    err: str


Say = Callable[..., Said]
SHORT = ("--duration", "10m", "--rate", "1")


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Say:
    """Runs `mistral7b simulate` in this process, with two environment files."""
    (tmp_path / "dev.yaml").write_text("region: us-east-1\ninstance: {count: 3}\n", encoding="utf-8")
    (tmp_path / "prod.yaml").write_text(
        "region: us-east-1\ntgi: {MAX_CONCURRENT_REQUESTS: 2}\ninstance: {type: ml.g5.4xlarge, count: 2}\n"
        "auto_scaling: {min_instances: 2, max_instances: 5, target_concurrent_requests: 1.5}\n",
        encoding="utf-8",
    )

    def run(*arguments: str) -> Said:
        monkeypatch.setattr("sys.argv", ["mistral7b", "simulate", "--environments", str(tmp_path), *arguments])
        status = 0
        try:
            main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        said = capsys.readouterr()
        return Said(status, said.out, said.err)

    return run


def test_policies_are_compared_on_the_same_requests(say: Say) -> None:
    said = say(*SHORT, "--policy", "fixed:1", "--policy", "fixed:2", "--policy", "concurrency:4,max=3", "--price", "3")
    rows = {line[:21].strip(): line[21:].split() for line in said.out.splitlines() if line.strip()}
    assert re.search(r"fixed:1 +fixed:2 +concurrency:4, max=3", said.out)
    assert len(set(rows["requests"])) == 1
    assert rows["instance-hours"][:2] == ["0.17", "0.33"]
    assert rows["cost, USD"][:2] == ["0.50", "1.00"]


def test_json_has_the_figures_of_every_policy(say: Say) -> None:
    said = json.loads(say(*SHORT, "--policy", "fixed:2", "--price", "3", "--json").out)
    (policy,) = said["policies"]
    assert policy["instance_hours"] == pytest.approx(1 / 3)
    assert policy["cost_usd"] == pytest.approx(1.0)
    assert policy["requests"] == policy["answered"] + policy["refused"] + policy["timed_out"]
    assert 0 < policy["latency_s"]["p50"] < policy["latency_s"]["p95"] < policy["latency_s"]["p99"] < 60
    assert (said["usd_per_hour"], said["price_source"]) == (3.0, "--price")


def test_equal_seeds_give_equal_results(say: Say) -> None:
    once, again, other = (say(*SHORT, "--json", "--seed", seed).out for seed in ("4", "4", "5"))
    assert once == again != other


def test_an_environment_gives_instance_type_limits_and_policy(say: Say) -> None:
    said = json.loads(say("prod", "--duration", "30m", "--rate", "3", "--json").out)
    (policy,) = said["policies"]
    assert said["instance_type"] == "ml.g5.4xlarge"
    assert policy["policy"] == "prod: concurrency:1.5,min=2,max=5"
    assert policy["most_instances"] == 5
    assert policy["refused"] > 0  # two in flight per instance


def test_a_schedule_moves_the_bounds_from_monday_on(say: Say, tmp_path: Path) -> None:
    (tmp_path / "hours.yaml").write_text(
        "region: us-east-1\nauto_scaling:\n  max_instances: 4\n"
        "  schedule: [{at: '01:00', min_instances: 3}, {at: '02:00', days: weekdays}, {at: '23:00'}]\n",
        encoding="utf-8",
    )
    said = say("hours", "--rate", "0.1", "--duration", "3h", "--startup", "1s")
    assert "by schedule" in said.out
    # One instance until 1:00, three until 2:00, and then scaling in, a step of at most two instances.
    assert re.search(r"most instances +3\n", said.out)
    hours = float(re.search(r"instance-hours +([\d.]+)", said.out)[1])  # type: ignore[index]
    assert 5.0 <= hours <= 5.2


def test_an_environment_without_auto_scaling_has_its_count_of_instances(say: Say) -> None:
    said = json.loads(say("dev", *SHORT, "--json").out)
    assert said["policies"][0]["instance_hours"] == pytest.approx(3 / 6)


WORKLOAD = """region: us-east-1
instance: {count: 2}
workload:
  input_tokens: 300
  output_tokens: 100
  requests_per_second: {average: 0.5, peak: 2}
  objective: {p95_ms_per_token: 80}
"""


def test_the_traffic_is_the_environments_workload(say: Say, tmp_path: Path) -> None:
    (tmp_path / "loaded.yaml").write_text(WORKLOAD, encoding="utf-8")
    said = json.loads(say("loaded", "--json").out)
    title = said["trace"]["title"]
    assert title.startswith("Traffic: workload of loaded\nclimb, 0.5 to 2 requests/s for 60 min")
    assert "prompts of 300 tokens (p95 300), answers of 100 tokens (p95 100)" in title
    assert said["trace"]["duration_s"] == 3600
    # A quarter at the average, a quarter climbing, a quarter at the peak, and a quarter at the average.
    assert said["policies"][0]["requests"] == pytest.approx(900 * (0.5 + 1.25 + 2 + 0.5), rel=0.05)


def test_an_option_changes_one_thing_of_the_workload_and_is_named(say: Say, tmp_path: Path) -> None:
    (tmp_path / "loaded.yaml").write_text(WORKLOAD, encoding="utf-8")
    title = json.loads(say("loaded", "--output", "50", "--json").out)["trace"]["title"]
    assert title.startswith("Traffic: workload of loaded, but --output\n")
    assert "prompts of 300 tokens (p95 300), answers of 50 tokens" in title


def test_traffic_that_is_not_the_users_is_called_so(say: Say) -> None:
    assert say("--duration", "10m").out.startswith("Traffic: built in, not yours: give --rate")
    assert say(*SHORT).out.startswith("Traffic: made up by --rate\n")


def test_what_the_container_refuses_of_a_workload_is_left_out_and_said(say: Say, tmp_path: Path) -> None:
    text = WORKLOAD.replace("input_tokens: 300", "input_tokens: [300, 300, 300, 4000]")
    (tmp_path / "short.yaml").write_text(f"{text}tgi: {{MAX_INPUT_LENGTH: 2000}}\n", encoding="utf-8")
    assert say("short").out.startswith("Traffic: workload of short; 25.0% too long, left out\n")


def test_streamed_answers_have_eight_minutes_and_a_first_token(say: Say, tmp_path: Path) -> None:
    text = WORKLOAD.replace("output_tokens: 100", "output_tokens: 1600\n  streaming: true").replace(
        "count: 2", "count: 4"
    )
    (tmp_path / "stream.yaml").write_text(text.replace("peak: 2", "peak: 0.6"), encoding="utf-8")
    said = say("stream")
    assert re.search(r"timed out \(480 s\) +0 \(0.00%\)", said.out)
    assert re.search(r"first token p50, s +0\.", said.out)


def test_streaming_is_the_workloads_unless_an_option_says_otherwise(say: Say, tmp_path: Path) -> None:
    streamed = WORKLOAD.replace("output_tokens: 100", "output_tokens: 100\n  streaming: true")
    (tmp_path / "stream.yaml").write_text(streamed, encoding="utf-8")
    limits = {
        (name, *options): json.loads(say(name, *SHORT, *options, "--json").out)["answer_limit_s"]
        for name, *options in (("stream",), ("stream", "--no-streaming"), ("dev",), ("dev", "--streaming"))
    }
    assert [*limits.values()] == [480, 60, 60, 480]


def test_a_peak_below_the_rate_is_refused(say: Say) -> None:
    said = say("--pattern", "burst", "--rate", "5", "--peak", "2")
    assert (said.status, said.out) == (2, "")
    assert "--peak 2: it is below --rate 5\nfix: swap them" in said.err


def test_what_is_assumed_is_restated(say: Say) -> None:
    assert "Start-up: 5 s. Limit: 2 in flight on each" in say("prod", *SHORT, "--startup", "5").out


def test_answers_of_requests_that_sample_take_longer(say: Say, tmp_path: Path) -> None:
    (tmp_path / "greedy.yaml").write_text(WORKLOAD, encoding="utf-8")
    (tmp_path / "sampled.yaml").write_text(f"{WORKLOAD}  sampling: true\n", encoding="utf-8")
    greedy, sampled = (json.loads(say(name, "--json").out)["policies"][0] for name in ("greedy", "sampled"))
    assert sampled["latency_s"]["p50"] > 1.03 * greedy["latency_s"]["p50"]


def test_a_policy_that_flaps_is_counted(say: Say) -> None:
    burst = ("--pattern", "burst", "--rate", "4", "--peak", "24", "--policy", "concurrency:16,min=3,max=14")
    flapping, fixed = json.loads(say(*burst, "--policy", "fixed:11", "--json").out)["policies"]
    assert flapping["flaps"] > 0
    assert fixed["flaps"] == 0


def test_a_trace_from_a_file_is_simulated(say: Say, tmp_path: Path) -> None:
    file = tmp_path / "trace.csv"
    file.write_text("time_s,input_tokens,output_tokens\n0,100,20\n5,100,20\n59,100,20\n", encoding="utf-8")
    said = json.loads(say("--trace", str(file), "--policy", "fixed:1", "--json").out)
    assert said["policies"][0]["answered"] == 3
    assert said["trace"]["duration_s"] == 60.0


def test_a_picture_is_drawn(say: Say, tmp_path: Path) -> None:
    assert say(*SHORT, "--plot", str(tmp_path / "picture.svg")).status == 0
    assert (tmp_path / "picture.svg").read_text(encoding="utf-8").startswith("<?xml")


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--rate", "-1"], ["--rate -1", "0 or more"]),
        (["--rate", "nan"], ["--rate nan"]),
        (["--rate", "0"], ["the trace holds no request"]),
        (["--pattern", "ramp", "--peak", "inf"], ["--peak inf"]),
        (["--rate", "1e9"], ["too many one by one", "lower the rate or the duration"]),
        (["--duration", "1y"], ["--duration 1y"]),
        (["--input", "9000"], ["--input 9000", "8176"]),
        (["--output", "300:200"], ["--output 300:200", "lognormal"]),
        (["--policy", "magic:3"], ["magic is no kind of policy"]),
        (["--trace", "none.csv"], ["none.csv", "No such file"]),
        (["--instance-type", "ml.g5.12xlarge"], ["ml.g5.12xlarge", "one NVIDIA A10G"]),
        (["--instance-type", "ml.huge"], ["ml.huge", "unknown instance type"]),
        (["--plot", "picture.gif"], ["picture.gif", ".svg"]),
        (["--plot", "no/such/folder.svg"], ["no/such/folder.svg"]),
        (["--parameters", "none.json"], ["none.json"]),
        (["--startup", "soon"], ["--startup soon"]),
    ],
)
def test_a_wrong_option_ends_with_one_message_and_status_2(say: Say, arguments: list[str], parts: list[str]) -> None:
    said = say(*arguments)
    assert said.status == 2
    assert said.out == ""
    assert all(part in said.err for part in ["mistral7b:", *parts]), said.err
    assert "Traceback" not in said.err


def test_a_request_that_an_instance_never_takes_ends_with_a_message(say: Say, tmp_path: Path) -> None:
    (tmp_path / "long.yaml").write_text("region: us-east-1\n", encoding="utf-8")
    said = say("long", "--input", "8180", *SHORT)
    assert said.status == 2
    assert "8180" in said.err
    assert "Traceback" not in said.err


def test_help_describes_traffic_policies_and_examples(say: Say) -> None:
    said = say("--help").out
    assert all(word in said for word in ("time_s,input_tokens,output_tokens", "concurrency:16", "fixed:4", "Examples"))
