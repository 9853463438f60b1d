"""The workload section: what it refuses, by field, and what its distributions mean."""

from math import exp

import pytest

from mistral7b.workload import TokenSpread, Workload, lognormal
from tests.unit.environment.conftest import Load, Problems

VALID = {
    "input_tokens": "300",
    "output_tokens": "100",
    "requests_per_second": "{average: 1, peak: 4}",
    "objective": "{p95_ms_per_token: 80}",
}


def text(**changed: str) -> str:
    """An environment file with this workload."""
    return "region: us-east-1\nworkload:\n" + "".join(f"  {k}: {v}\n" for k, v in (VALID | changed).items())


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("input_tokens", "{mean: 400, p95: 300}", "no lognormal distribution has mean 400 and p95 300"),
        ("input_tokens", "{mean: 100, p95: 500}", "no lognormal distribution has mean 100 and p95 500"),
        ("output_tokens", "{mean: 100, p95: 300, longest: 200}", "longest is below p95"),
        ("output_tokens", "0", "it has to be 1 or more"),
        ("output_tokens", "[]", "it has to be 1 entries or more"),
        ("requests_per_second", "{average: 4, peak: 1}", "the average, 4, is above the peak, 1"),
        ("objective", "{}", "it has no latency"),
    ],
)
def test_it_refuses(problems: Problems, field: str, value: str, reason: str) -> None:
    assert problems(text(**{field: value}))[f"workload.{field}"].reason == reason


def test_it_refuses_what_the_model_cannot_hold(problems: Problems) -> None:
    """A workload that can be planned for: lengths within the model's 8,192 tokens, the peak above the average,
    latencies within 60 s. Source: this project.
    """
    problem = problems(text(input_tokens="8000", max_new_tokens="300"))["workload"]
    assert problem.reason == "prompts of 8000 tokens and answers of 300 are together more than 8192"


def test_a_latency_beyond_sagemakers_wait_is_refused(problems: Problems) -> None:
    problem = problems(text(objective="{p95_seconds: 61}"))["workload"]
    assert problem.reason.startswith("objective.p95_seconds is 61, and SageMaker gives an answer as a whole, in 60 s")
    streamed = problems(text(objective="{p95_seconds: 481}", streaming="true"))
    assert streamed["workload.objective.p95_seconds"].fix == "use 480.0 or less"


def test_the_first_token_of_an_answer_that_comes_as_a_whole_is_no_objective(problems: Problems) -> None:
    problem = problems(text(objective="{p95_first_token_seconds: 2}"))["workload"]
    assert problem.fix == "set streaming: true, or ask for the whole answer in less"


def test_a_number_of_requests_a_second_is_average_and_peak(load: Load) -> None:
    workload = load(text(requests_per_second="2.5")).workload
    assert workload is not None
    rate = workload.requests_per_second
    assert (rate.average, rate.peak) == (2.5, 2.5)


@pytest.mark.parametrize("rate", ["0", "-1", "20000"])
def test_a_rate_that_is_none_is_refused_once(problems: Problems, rate: str) -> None:
    (found,) = problems(text(requests_per_second=rate)).items()
    assert found[0] == "workload.requests_per_second"
    assert found[1].reason == "it is not between 0.0001 and 10000"


def test_a_streamed_answer_has_eight_minutes(load: Load) -> None:
    env = load(text(streaming="true", objective="{p95_seconds: 300, p50_first_token_seconds: 2}"))
    assert env.workload is not None
    assert env.workload.answer_limit_s == 480


def test_a_spread_has_its_mean_and_its_p95() -> None:
    spread = TokenSpread(mean=400, p95=1500)
    mu, sigma = lognormal(spread.mean, spread.p95)
    assert exp(mu + sigma**2 / 2) == pytest.approx(400)
    assert spread.at(1.6448536) == pytest.approx(1500, rel=1e-6)


def test_prompts_leave_room_for_the_longest_answer() -> None:
    workload = Workload.model_validate({
        "input_tokens": {"mean": 2000, "p95": 6000},
        "output_tokens": 100,
        "max_new_tokens": 1000,
        "requests_per_second": {"average": 1, "peak": 1},
        "objective": {"p50_seconds": 20},
    })  # fmt: skip
    assert workload.longest_prompt == 7192
