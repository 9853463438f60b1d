"""Poisson arrivals and the rates they are drawn from."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.fleet import (
    EmpiricalLength,
    PoissonTrace,
    TraceError,
    burst,
    collect,
    constant,
    daily,
    parse_lengths,
    ramp,
)
from mistral7b.capacity.fleet import arrivals as module
from mistral7b.capacity.fleet.arrivals import Rate

TEN = EmpiricalLength(np.array([10]))


def poisson(rate: Rate, duration: float = 1000.0, seed: int = 1) -> PoissonTrace:
    """Arrivals with short requests."""
    return PoissonTrace(rate, duration, TEN, TEN, seed)


@given(rate=st.floats(0.01, 5), peak=st.floats(0, 5), duration=st.floats(20, 3000), seed=st.integers(0, 100))
def test_arrivals_ascend_within_the_duration(rate: float, peak: float, duration: float, seed: int) -> None:
    for chunk in poisson(burst(rate, peak, duration / 3, duration / 3), duration, seed).chunks():
        assert (np.diff(chunk.times) >= 0).all()
        assert chunk.times[0] >= 0
        assert chunk.times[-1] <= duration


def test_equal_seeds_give_equal_traces_and_others_do_not() -> None:
    one, same, other = (collect(poisson(constant(2), seed=seed), 10_000) for seed in (1, 1, 2))
    assert np.array_equal(one.times, same.times)
    assert not np.array_equal(one.times[:100], other.times[:100])


def test_a_trace_yields_the_same_requests_each_time_it_is_iterated() -> None:
    trace = poisson(constant(3))
    assert np.array_equal(collect(trace, 10_000).times, collect(trace, 10_000).times)


def test_counts_per_second_have_a_poisson_distributions_mean_and_variance() -> None:
    times = collect(poisson(constant(4), 20_000), 200_000).times
    counts = np.bincount(times.astype(int), minlength=20_000)
    assert counts.mean() == pytest.approx(4, rel=0.02)
    assert counts.var() == pytest.approx(4, rel=0.05)


def test_gaps_are_exponential_also_across_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK_REQUESTS", 50)
    gaps = np.diff(collect(poisson(constant(5), 10_000), 100_000).times)
    assert gaps.mean() == pytest.approx(0.2, rel=0.02)
    assert np.quantile(gaps, 0.95) == pytest.approx(-0.2 * np.log(0.05), rel=0.03)


def test_a_burst_is_where_it_is_said_to_be() -> None:
    times = collect(poisson(burst(1, 20, 400, 200)), 20_000).times
    inside = ((times >= 400) & (times < 600)).sum()
    assert inside == pytest.approx(4000, rel=0.05)
    assert times.size - inside == pytest.approx(800, rel=0.1)


def test_a_ramp_has_three_quarters_of_its_requests_in_the_second_half() -> None:
    times = collect(poisson(ramp(0, 20, 1000)), 20_000).times
    assert (times > 500).mean() == pytest.approx(0.75, abs=0.02)


def test_a_day_peaks_at_its_hour() -> None:
    rate = daily(1, 9, peak_at_s=14 * 3600)
    assert rate(np.array([2, 8, 14, 38]) * 3600.0).tolist() == pytest.approx([1, 5, 9, 9])


@pytest.mark.parametrize("wrong", [-1.0, float("nan"), float("inf")])
def test_a_rate_below_zero_or_not_finite_is_refused(wrong: float) -> None:
    with pytest.raises(TraceError, match="0 or more requests per second"):
        daily(1, wrong)


@pytest.mark.parametrize("wrong", [0.0, -5.0, float("nan"), 1e9])
def test_a_duration_that_makes_no_sense_is_refused(wrong: float) -> None:
    with pytest.raises(TraceError, match="31 days at most"):
        poisson(constant(1), wrong)


def test_a_trace_without_requests_is_refused() -> None:
    with pytest.raises(TraceError, match="holds no request"):
        collect(poisson(constant(0)), 10)


def test_an_answer_is_cut_where_prompt_and_answer_would_be_too_long() -> None:
    trace = PoissonTrace(constant(1), 100, EmpiricalLength(np.array([150])), EmpiricalLength(np.array([100])), 1, 200)
    assert set(collect(trace, 1000).outputs.tolist()) == {50}


def test_a_lognormal_length_has_the_mean_and_p95_asked_for() -> None:
    drawn = parse_lengths("300:900", "--input", 8000).draw(np.random.default_rng(1), 400_000)
    assert drawn.mean() == pytest.approx(300, rel=0.01)
    assert np.quantile(drawn, 0.95) == pytest.approx(900, rel=0.01)


def test_a_list_of_lengths_is_drawn_from_evenly(tmp_path: Path) -> None:
    file = tmp_path / "lengths.txt"
    file.write_text("5\n\n7\n7\n")
    drawn = parse_lengths(str(file), "--input", 10).draw(np.random.default_rng(1), 30_000)
    assert np.unique(drawn).tolist() == [5, 7]
    assert (drawn == 7).mean() == pytest.approx(2 / 3, abs=0.02)


@pytest.mark.parametrize(
    "text", ["0", "-3", "2.5", "nan", "9001", "300:100", "300:5000", "300:nan", "no-such-file", ""]
)
def test_lengths_that_make_no_sense_are_refused_with_their_value(text: str) -> None:
    with pytest.raises(TraceError, match=r"--output(.|\n)*fix:"):
        parse_lengths(text, "--output", 9000)


def test_a_wrong_line_in_a_list_of_lengths_is_named(tmp_path: Path) -> None:
    file = tmp_path / "lengths.txt"
    file.write_text("5\nseven\n")
    with pytest.raises(TraceError, match=r"lengths\.txt:2: --input = seven"):
        parse_lengths(str(file), "--input", 10)
