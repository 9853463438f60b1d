"""Runs of a benchmark on the scheduler: lengths, requests in flight, and what is refused."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.measurements import Run, published_path, read_either
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.runs import Runs
from tests.unit.capacity.conftest import NO_TIME

Limits = Callable[..., RouterLimits]

FMBENCH = read_either(published_path().with_name("fmbench_mistral_7b_ml_g5_2xlarge_tgi_1_1.csv"))[1]
PARAMETERS = published_calibration().parameters


def latencies(parameters: PerformanceParameters, limits: RouterLimits, *runs: Run, samples: bool = True) -> list[float]:
    """Predicted latencies of the runs of one file."""
    return Runs(runs, parameters, limits, samples=samples).latencies(parameters)


def test_a_request_alone_takes_round_trip_prefill_and_a_step_for_each_further_token(
    simple: PerformanceParameters, limits: Limits
) -> None:
    assert latencies(replace(simple, round_trip=0.5), limits(), Run(1, 100, 5, 1)) == [14.5]


def test_sampling_takes_longer_in_the_prefill_and_in_every_step(simple: PerformanceParameters, limits: Limits) -> None:
    p, run = replace(simple, sampling=0.25), Run(1, 100, 5, 1)
    assert latencies(p, limits(), run) == [14 + 5 * 0.25]
    assert latencies(p, limits(), run, samples=False) == [14]


def test_requests_beyond_the_first_wait_for_the_first_ones_prefill(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # All are sent at 0: A's prefill is 0 to 10, that of B and C 10 to 20, and then all step: 4 steps of 1 s.
    assert latencies(simple, limits(), Run(3, 100, 5, 1)) == [24]


def test_a_client_sends_its_next_request_when_an_answer_is_there(limits: Limits) -> None:
    # Ten requests of 11 s, one at a time.
    p = replace(NO_TIME, prefill=10, round_trip=1)
    assert latencies(p, limits(), Run(1, 100, 1, 1, requests=10)) == [11]


def test_without_runs_of_one_request_all_requests_have_the_means(simple: PerformanceParameters, limits: Limits) -> None:
    assert latencies(simple, limits(), Run(2, 100, 20, 1)) == [39]


def test_answers_in_a_batch_vary_as_in_the_runs_of_one_request(simple: PerformanceParameters, limits: Limits) -> None:
    # One answer of 1 token, which ends with the first or the second prefill, and one of 39: 20 + 38 s.
    alone = [Run(1, 100, tokens, 1) for tokens in (1, 39)]
    *_, both = latencies(simple, limits(), *alone, Run(2, 100, 20, 1))
    assert 34 <= both < 39


def test_the_longest_prompt_of_a_batch_slows_all_its_steps(limits: Limits) -> None:
    # Two answers of 11 tokens: 10 steps, each of a second for each token of the longest context. Prompts of 200 tokens
    # have contexts of 201 to 210, those of 100 and 300 of 301 to 310.
    p = replace(NO_TIME, prefill=1e-6, decode_per_longest_token=1)
    alone = [Run(1, prompt, 11, 1, payload="mixed") for prompt in (100, 300)]
    alike, mixed = (latencies(p, limits(), *alone, Run(2, 200, 11, 1, payload=kind))[-1] for kind in ("other", "mixed"))
    assert [alike, mixed] == pytest.approx([2055, 3055])


@given(st.integers(2, 12), st.floats(4, 100), st.floats(1000, 4000))
@settings(max_examples=20, deadline=None)
def test_the_requests_of_a_run_have_its_means(size: int, answer: float, prompt: float) -> None:
    # Time is what a prefill takes for each prompt token, and a step for each request in it.
    alone = [replace(run, completion_tokens_per_s=None, payload=None) for run in FMBENCH if run.requests == 1]
    run = Run(size, prompt, answer, 1, requests=size)
    p = replace(NO_TIME, prefill_per_token=1e-3)
    one_at_a_time = latencies(p, benchmark_limits(), *alone, replace(run, concurrency=1))[-1]
    assert one_at_a_time == pytest.approx(prompt * 1e-3, abs=0.002)
    p = replace(NO_TIME, prefill=1, decode_per_request=1)
    one_at_a_time = latencies(p, benchmark_limits(), *alone, replace(run, concurrency=1))[-1]
    assert one_at_a_time == pytest.approx(answer, abs=0.6)


def test_the_throughput_tells_how_many_the_client_has_in_flight() -> None:
    limits = benchmark_limits()
    eight = [run for run in FMBENCH if run.concurrency in (1, 8)]
    assert Runs(eight, PARAMETERS, limits).in_flight == 6
    assert Runs(FMBENCH, replace(PARAMETERS, decode_step=0.05), limits).in_flight == 6


def test_without_throughputs_a_client_has_in_flight_what_it_was_told() -> None:
    runs = [replace(run, completion_tokens_per_s=None) for run in FMBENCH]
    assert Runs(runs, PARAMETERS, benchmark_limits()).in_flight == 8


def test_without_runs_of_one_request_lengths_are_unknown_and_with_them_the_limit() -> None:
    runs = [run for run in FMBENCH if run.concurrency > 1]
    assert Runs(runs, PARAMETERS, benchmark_limits()).in_flight == 8


def test_a_file_without_runs_of_one_request_or_throughputs_does_not_tell_what_is_in_flight() -> None:
    several = [run for run in FMBENCH if run.concurrency > 1]
    untimed = [replace(run, completion_tokens_per_s=None) for run in FMBENCH]
    told = [Runs(runs, PARAMETERS, benchmark_limits()).tells_in_flight for runs in (FMBENCH, several, untimed)]
    assert told == [True, False, False]


@given(st.permutations(FMBENCH[::6]))
@settings(max_examples=5, deadline=None)
def test_predictions_do_not_depend_on_the_order_of_runs(shuffled: list[Run]) -> None:
    limits, runs = benchmark_limits(), FMBENCH[::6]
    known = dict(zip(map(repr, runs), latencies(PARAMETERS, limits, *runs), strict=True))
    assert [known[repr(run)] for run in shuffled] == latencies(PARAMETERS, limits, *shuffled)


def test_half_of_the_runs_predict_as_well_as_all() -> None:
    limits = benchmark_limits()
    for half in (FMBENCH[::2], FMBENCH[1::2]):
        errors = [
            predicted / run.latency_mean_s - 1
            for predicted, run in zip(latencies(PARAMETERS, limits, *half), half, strict=True)
        ]
        assert sorted(map(abs, errors))[len(errors) // 2] < 0.03


@pytest.mark.parametrize(
    ("run", "message"),
    [
        (Run(1, 9000, 10, 1), "a prompt of 9000 tokens"),
        (Run(129, 10, 10, 1), "more than MAX_CONCURRENT_REQUESTS, 128, at once"),
    ],
)
def test_a_run_that_the_router_would_refuse_is_refused(run: Run, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        latencies(PARAMETERS, benchmark_limits(), run)
