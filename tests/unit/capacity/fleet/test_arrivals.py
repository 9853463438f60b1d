"""Poisson arrivals and the rates they are drawn from."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.fleet.arrivals import Rate, draw, parse_lengths, poisson_trace, rate_over_time
from mistral7b.capacity.fleet.trace import Trace
from mistral7b.errors import UserError

TEN = 10


def constant(rate: float) -> Rate:
    """The same rate throughout."""
    return rate_over_time("constant", rate, rate, 1.0)


def poisson(rate: Rate, duration: float = 1000.0, seed: int = 1) -> Trace:
    """Arrivals with short requests."""
    return poisson_trace(rate, duration, TEN, TEN, seed=seed)


@given(rate=st.floats(2, 5), peak=st.floats(5, 9), duration=st.floats(20, 3000), seed=st.integers(0, 100))
def test_arrivals_ascend_within_the_duration(rate: float, peak: float, duration: float, seed: int) -> None:
    times = poisson(rate_over_time("burst", rate, peak, duration), duration, seed).times
    assert (np.diff(times) >= 0).all()
    assert times[0] >= 0
    assert times[-1] <= duration


def test_equal_seeds_give_equal_traces_and_others_do_not() -> None:
    one, same, other = (poisson(constant(2), seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.times, same.times)
    assert not np.array_equal(one.times[:100], other.times[:100])


def test_counts_per_second_have_a_poisson_distributions_mean_and_variance() -> None:
    times = poisson(constant(4), 20_000).times
    counts = np.bincount(times.astype(int), minlength=20_000)
    assert counts.mean() == pytest.approx(4, rel=0.02)
    assert counts.var() == pytest.approx(4, rel=0.05)


def test_gaps_are_exponential() -> None:
    gaps = np.diff(poisson(constant(5), 10_000).times)
    assert gaps.mean() == pytest.approx(0.2, rel=0.02)
    assert np.quantile(gaps, 0.95) == pytest.approx(-0.2 * np.log(0.05), rel=0.03)


def test_a_burst_is_where_it_is_said_to_be() -> None:
    times = poisson(rate_over_time("burst", 1, 20, 1000)).times
    inside = ((times >= 250) & (times < 500)).sum()
    assert inside == pytest.approx(5000, rel=0.05)
    assert times.size - inside == pytest.approx(750, rel=0.1)


def test_a_ramp_has_three_quarters_of_its_requests_in_the_second_half() -> None:
    times = poisson(rate_over_time("ramp", 0, 20, 1000)).times
    assert (times > 500).mean() == pytest.approx(0.75, abs=0.02)


def test_a_day_peaks_at_its_hour() -> None:
    rate = rate_over_time("daily", 1, 9, 86_400)
    assert rate(np.array([2, 8, 14, 38]) * 3600.0).tolist() == pytest.approx([1, 5, 9, 9])


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_rate_below_zero_or_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(UserError, match="0 or more requests per second"):
        rate_over_time("daily", 1, wrong, 86_400)


@pytest.mark.parametrize("wrong", [0.0, -5.0, float("nan"), 1e9])
def test_a_duration_that_makes_no_sense_is_refused(wrong: float) -> None:
    with pytest.raises(UserError, match="31 days at most"):
        poisson(constant(1), wrong)


def test_a_trace_without_requests_is_refused() -> None:
    with pytest.raises(UserError, match="holds no request"):
        poisson(constant(0))


def test_more_requests_than_fit_into_memory_are_refused() -> None:
    with pytest.raises(UserError, match=r"some 100,000,000 requests: more than 20,000,000"):
        poisson(constant(100_000))


def test_an_answer_is_cut_where_prompt_and_answer_would_be_too_long() -> None:
    long, longer = 100, 150
    trace = poisson_trace(constant(1), 100, longer, long, seed=1, max_total_tokens=200)
    assert set(trace.outputs.tolist()) == {50}


def test_a_lognormal_length_has_the_mean_and_p95_asked_for() -> None:
    drawn = draw(parse_lengths("300:900", "--input", 8000), np.random.default_rng(1), 400_000)
    assert drawn.mean() == pytest.approx(300, rel=0.01)
    assert np.quantile(drawn, 0.95) == pytest.approx(900, rel=0.01)


def test_a_list_of_lengths_is_drawn_from_evenly(tmp_path: Path) -> None:
    file = tmp_path / "lengths.txt"
    file.write_text("5\n\n7\n7\n")
    drawn = draw(parse_lengths(str(file), "--input", 10), np.random.default_rng(1), 30_000)
    assert np.unique(drawn).tolist() == [5, 7]
    assert (drawn == 7).mean() == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.parametrize(
    "text", ["0", "-3", "2.5", "nan", "9001", "300:100", "300:5000", "300:nan", "no-such-file", ""]
)
def test_lengths_that_make_no_sense_are_refused_with_their_value(text: str) -> None:
    with pytest.raises(UserError, match=r"--output(.|\n)*fix:"):
        parse_lengths(text, "--output", 9000)


def test_a_wrong_line_in_a_list_of_lengths_is_named(tmp_path: Path) -> None:
    file = tmp_path / "lengths.txt"
    file.write_text("5\nseven\n")
    with pytest.raises(UserError, match=r"lengths\.txt:2: --input = seven"):
        parse_lengths(str(file), "--input", 10)
