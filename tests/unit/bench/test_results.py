"""Figures from a run's requests."""

import json
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.bench.plan import RECORDS, WARM_UP, Cell
from mistral7b.bench.results import measured, quantile, widening

USERS = Cell(prompt=16, unit="tokens", answer_tokens=10, users=2, counted=3)
RATE = Cell(prompt=16, unit="tokens", answer_tokens=10, rate=1.0, counted=20)
SECONDS = 2.0


def request(user: int, began: float, **values: Any) -> dict[str, Any]:
    answered = {"seconds": SECONDS, "first": None, "tokens": 10, "late": 0.0, "behind": 0.0, "process": "local"}
    return {"cell": 0, "user": user, "began": began, **answered, **values}


def process(lag: float = 0.0) -> dict[str, Any]:
    return {"cell": 0, "in_flight": 0, "lags": [lag] * 20, "process": "local"}


def rounds(**values: Any) -> list[dict[str, Any]]:
    """Two users, the second half a second later, with one round more than counts."""
    return [
        request(user, 100 + 0.5 * user + SECONDS * number, **values)
        for user in range(2)
        for number in range(WARM_UP + 3 + 1)
    ]


def load(
    folder: Path, records: list[dict[str, Any]], cell: Cell = USERS, *, speed: float = 1.0, ended: bool = True
) -> tuple[dict[str, Any], str]:
    """The only load of a run with these records, and how the run ended."""
    last = [{"ended": 0}, {"ending": "complete"}] if ended else []
    lines = [{"begun": 0, "at": 100.0}, *records, *last]
    (folder / RECORDS).write_text("".join(json.dumps(line) + "\n" for line in lines))
    (found,), ending = measured(folder, {"speed": speed, "cells": [asdict(cell)]})
    return found, ending


def figure(found: dict[str, Any], name: str) -> float:
    return float(found["figures"][name]["value"])


def test_throughput_is_that_of_whole_rounds_of_all_users(tmp_path: Path) -> None:
    found, ending = load(tmp_path, [*rounds(), process()])
    assert (found["counted"], found["complete"], ending) == (6, True, "complete")
    assert figure(found, "tokens_per_s") == pytest.approx(2 * 10 / SECONDS)
    assert figure(found, "requests_per_s") == pytest.approx(2 / SECONDS)


def test_the_warm_up_does_not_count(tmp_path: Path) -> None:
    records = rounds()
    for one in records[:WARM_UP]:
        one["seconds"] = 50.0
    found, _ = load(tmp_path, [*records[: WARM_UP + 3], process()])
    assert figure(found, "latency_s_p99") == SECONDS


def test_times_are_of_the_endpoints_clock(tmp_path: Path) -> None:
    found, _ = load(tmp_path, [*rounds(), process()], speed=20.0)
    assert figure(found, "latency_s_p50") == 20 * SECONDS
    assert figure(found, "per_token_ms_p50") == 1000 * 20 * SECONDS / 10
    assert figure(found, "tokens_per_s") == pytest.approx(2 * 10 / SECONDS / 20)


def test_the_tokens_that_an_answer_had_are_what_counts(tmp_path: Path) -> None:
    found, _ = load(tmp_path, [*rounds(tokens=4), process()])
    assert figure(found, "tokens_per_s") == pytest.approx(2 * 4 / SECONDS)
    assert (found["completion_tokens_mean"], found["short_answers"]) == (4.0, 6)


def test_errors_are_counted_by_kind_also_those_of_the_warm_up(tmp_path: Path) -> None:
    records = rounds()
    records[0] |= {"error": "Overloaded (429)", "message": "Model is overloaded"}
    records[4] |= {"error": "TimedOut", "message": "too late"}
    found, _ = load(tmp_path, [*records, process()])
    assert found["errors"] == {"Overloaded (429)": 1, "TimedOut": 1}
    assert found["messages"]["TimedOut"] == "too late"


def test_a_failed_request_has_a_round_of_its_user_but_no_tokens(tmp_path: Path) -> None:
    records = rounds()
    records[WARM_UP] |= {"error": "TimedOut", "message": ""}
    found, _ = load(tmp_path, [*records, process()])
    assert found["counted"] == 5
    assert figure(found, "tokens_per_s") == pytest.approx(5 / 3 * 10 / SECONDS)


def test_a_rate_counts_what_was_due_after_the_warm_up(tmp_path: Path) -> None:
    records = [request(1, 100.5 + number) for number in range(40)]  # the warm-up is 10 seconds
    found, _ = load(tmp_path, [*records, process()], RATE)
    assert found["counted"] == 20
    assert figure(found, "requests_per_s") == 1.0


def test_no_figure_is_published_if_the_generator_was_late(tmp_path: Path) -> None:
    found, _ = load(tmp_path, [*rounds(), process(lag=0.021)])
    assert found["figures"] == {}
    assert found["undriven"] == "the generator was 21.0 ms late, more than 20.0 ms"


def test_the_first_token_of_a_stream_is_what_the_generator_must_not_be_late_for(tmp_path: Path) -> None:
    found, _ = load(tmp_path, [*rounds(first=0.5), process(lag=0.006)])
    assert found["undriven"] == "the generator was 6.0 ms late, more than 5.0 ms"


def test_requests_that_were_sent_too_late_are_a_lag_too(tmp_path: Path) -> None:
    records = [request(1, 100.5 + number, late=0.5) for number in range(40)]
    found, _ = load(tmp_path, [*records, process()], RATE)
    assert "500.0 ms late" in found["undriven"]


def test_answers_that_came_together_and_waited_for_each_other_are_a_lag_too(tmp_path: Path) -> None:
    found, _ = load(tmp_path, [*rounds(behind=0.03), process()])
    assert found["undriven"] == "the generator was 30.0 ms late, more than 20.0 ms"


def test_an_interrupted_load_keeps_what_was_measured(tmp_path: Path) -> None:
    found, ending = load(tmp_path, [*rounds()[:4], process()], ended=False)
    assert (ending, found["complete"], found["counted"]) == ("interrupted", False, 2)
    assert figure(found, "latency_s_p50") == SECONDS


def test_a_load_without_answers_has_no_figures(tmp_path: Path) -> None:
    found, _ = load(tmp_path, [*rounds(error="Unreachable", message="nobody there"), process()])
    assert (found["figures"], found["counted"], found["requests"]) == ({}, 0, 12)


def test_a_run_that_never_began_has_no_loads(tmp_path: Path) -> None:
    assert measured(tmp_path, {"speed": 1.0, "cells": []}) == ([], "interrupted")


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=300).map(sorted), st.sampled_from([0.5, 0.9, 0.99]))
def test_a_quantile_is_between_its_bounds(values: list[float], level: float) -> None:
    found = quantile(values, level)
    value, low, high = found["value"], found["low"], found["high"]
    assert value is not None
    assert low is None or low <= value
    assert high is None or value <= high


def test_few_requests_do_not_bound_a_high_quantile() -> None:
    assert quantile([*range(100)], 0.99)["high"] is None
    assert quantile([*range(1000)], 0.99)["high"] is not None


def test_the_bounds_of_a_median_are_those_of_the_textbook() -> None:
    # Le Boudec, table A.1: of 100 values the 40th and 61st
    assert quantile([*range(1, 101)], 0.5) == {"value": 50.5, "low": 40, "high": 61}


def test_values_that_are_independent_have_the_plain_interval() -> None:
    values = Random(1).choices([1.0, 2.0], k=4000)
    assert 1.0 <= widening(values) < 1.7


def test_values_that_come_in_equal_runs_have_a_wider_interval() -> None:
    values = [value for value in Random(1).choices([1.0, 2.0], k=100) for _ in range(40)]
    assert widening(values) > 4


@given(st.lists(st.floats(0, 1000), min_size=1, max_size=100))
def test_no_interval_is_narrower_than_of_independent_values(values: list[float]) -> None:
    assert widening(values) >= 1


def test_equal_values_have_no_interval() -> None:
    assert widening([1.0] * 100) == 1.0


def test_a_quantile_has_the_wider_interval() -> None:
    narrow, wide = (quantile([*range(1000)], 0.5, wider) for wider in (1.0, 2.0))
    assert (wide["high"] or 0) - (wide["low"] or 0) > 1.9 * ((narrow["high"] or 0) - (narrow["low"] or 0))
