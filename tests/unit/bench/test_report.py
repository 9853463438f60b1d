"""What is written of a run, and what of it got worse."""

import json
from copy import deepcopy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mistral7b.bench.plan import Cell
from mistral7b.bench.report import complete, figures, incomparable, markdown, problems, runs, worse
from mistral7b.capacity.measurements import Run, read_either
from mistral7b.errors import UserError

CELL = Cell(prompt=512, unit="words", answer_tokens=128, users=8, counted=4)


def value(middle: float, spread: float = 0.01) -> dict[str, float]:
    return {"value": middle, "low": middle * (1 - spread), "high": middle * (1 + spread)}


def load(cell: Cell = CELL, **values: Any) -> dict[str, Any]:
    names = ("tokens_per_s", "latency_s_mean", "per_token_ms_p50", "per_token_ms_p90", "per_token_ms_p99")
    measured = {name: value(100.0) for name in names}
    found = {"name": cell.name, "cell": asdict(cell), "complete": True, "requests": 100, "errors": {}, "undriven": ""}
    found |= {"counted": 80, "completion_tokens_mean": 128.0, "figures": measured}
    return complete(found | values, 0.7)


def report(*loads: dict[str, Any], **values: Any) -> dict[str, Any]:
    about = {
        "endpoint": "mistral",
        "ending": "complete",
        "instance_type": "ml.g5.2xlarge",
        "instances": 1,
        "speed": 1.0,
    }
    return about | {"loads": [*(loads or [load()])]} | values


def changed(**figures: dict[str, float]) -> dict[str, Any]:
    other = load()
    return report(other | {"figures": other["figures"] | figures})


def test_throughput_as_published_has_a_share_of_the_users_in_flight() -> None:
    assert load()["figures"]["as_published_tokens_per_s"]["value"] == pytest.approx(100 * (1 + 0.7 * 7) / 8)


def test_a_published_load_has_its_published_figures() -> None:
    assert load()["published"] == {"throughput_tokens_per_s": 140.0, "p50_latency_ms_per_token": 43.0}


def test_a_stream_is_not_compared_with_published_answers() -> None:
    assert load(Cell(**asdict(CELL) | {"stream": True}))["published"] == {}


def test_a_report_is_read_as_runs_by_capacity_check(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps({"runs": runs([load(errors={"TimedOut": 2})])}))
    expected = Run(8, 513, 128.0, 100.0, completion_tokens_per_s=100.0, requests=80, errors=2)
    assert read_either(file) == ((), (expected,))


@pytest.mark.parametrize("text", ["{", "{}", '{"runs": []}', '{"runs": [{"concurrency": 0}]}'])
def test_a_report_without_a_whole_load_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(text)
    with pytest.raises(UserError, match="no report of mistral7b bench with a whole load"):
        read_either(file)


def test_runs_leave_out_loads_that_were_not_measured_to_their_end() -> None:
    assert runs([load(complete=False), load(figures={}, undriven="late")]) == []


def test_the_markdown_table_shows_measured_and_published_figures() -> None:
    text = markdown(report(), 0.7)
    assert "| 512 words, 128 tokens out | 73.8 (140) |" in text
    assert "1 + 0.70 · (users - 1)" in text


def test_the_markdown_table_has_a_column_for_each_rate() -> None:
    slow, fast = (Cell(prompt=512, unit="words", answer_tokens=128, rate=rate, counted=60) for rate in (0.5, 10.0))
    text = markdown(report(load(fast), load(slow)), 0.7)
    assert "| tokens_per_s | 0.5 requests/s | 10 requests/s |" in text
    assert "a latency begins when the request was due" in text


def test_the_markdown_table_marks_loads_with_errors() -> None:
    assert "| 100.0* |" in markdown(report(load(errors={"TimedOut": 1})), 0.7)


def test_the_picture_has_both_figures_of_each_load_with_users() -> None:
    rate = Cell(prompt=512, unit="words", answer_tokens=128, rate=1.0, counted=60)
    assert [one.metric for one in figures([load(), load(rate)])] == [
        "throughput_tokens_per_s",
        "p50_latency_ms_per_token",
    ]


def test_an_equal_run_is_not_worse() -> None:
    assert [*worse(report(), deepcopy(report()), 0.0)] == []


def test_a_lower_throughput_is_worse() -> None:
    assert [*worse(report(), changed(tokens_per_s=value(80.0)), 0.1)] == [
        "512 words, 128 tokens out, 8 users: tokens_per_s 100 -> 80 (-20.0%)"
    ]


def test_a_higher_latency_is_worse() -> None:
    assert [*worse(report(), changed(per_token_ms_p50=value(120.0)), 0.1)] == [
        "512 words, 128 tokens out, 8 users: per_token_ms_p50 100 -> 120 (+20.0%)"
    ]


def test_a_better_run_is_not_worse() -> None:
    better = changed(per_token_ms_p50=value(50.0), tokens_per_s=value(200.0))
    assert [*worse(report(), better, 0.1)] == []


def test_a_difference_within_the_tolerance_is_not_worse() -> None:
    assert [*worse(report(), changed(per_token_ms_p50=value(109.0, 0.001)), 0.1)] == []


def test_a_difference_within_noise_is_not_worse() -> None:
    assert [*worse(report(), changed(per_token_ms_p50=value(120.0, 0.2)), 0.1)] == []


def test_a_quantile_without_bounds_is_not_judged() -> None:
    unbounded = {"value": 150.0, "low": None, "high": None}
    assert [*worse(report(), changed(per_token_ms_p99=unbounded), 0.1)] == []  # type: ignore[arg-type]


def test_errors_beyond_chance_are_worse() -> None:
    found = [*worse(report(), report(load(errors={"TimedOut": 9})), 0.1)]
    assert found == ["512 words, 128 tokens out, 8 users: 9 errors in 100 requests, 0.0 in as many before"]


def test_as_many_errors_as_before_are_not_worse() -> None:
    before, now = (report(load(errors={"TimedOut": count})) for count in (9, 10))
    assert [*worse(before, now, 0.1)] == []


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (report(load(complete=False)), "not measured to its end"),
        (report() | {"loads": []}, "not measured to its end"),
    ],
    ids=["interrupted", "missing"],
)
def test_a_load_without_figures_is_worse(other: dict[str, Any], reason: str) -> None:
    assert [*worse(report(), other, 0.1)] == [f"512 words, 128 tokens out, 8 users: {reason}"]


def test_a_load_whose_figures_are_withheld_fails_the_run() -> None:
    found = problems(report(load(undriven="too late", figures={})), report(), 0.1)
    assert found == ["512 words, 128 tokens out, 8 users: no figures, as too late"]


def test_a_run_that_ended_early_fails_without_a_baseline() -> None:
    assert problems(report(ending="no answers"), None, 0.1) == ["the run ended early: no answers"]


def test_runs_on_other_instances_do_not_compare() -> None:
    (found,) = incomparable(report(), report(instance_type="ml.g5.4xlarge"), [CELL.name])
    assert found == "instance_type: ml.g5.2xlarge -> ml.g5.4xlarge: figures do not compare"


def test_a_run_without_a_load_of_the_baseline_does_not_compare() -> None:
    assert [*incomparable(report(), report(), [])] == ["512 words, 128 tokens out, 8 users: not among the loads"]
