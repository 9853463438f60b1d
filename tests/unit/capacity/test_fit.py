"""The fit: it finds parameters again, reproduces the published table, and says what it cannot determine."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.fit import FITTED, START, Compared, FitError, compare, errors_by_metric, fit, predict
from mistral7b.capacity.measurements import Figure, Row, published_path, read_measurements, rows
from mistral7b.capacity.memory import benchmark_limits

FIGURES = read_measurements(published_path())
LIMITS = benchmark_limits()


def measured(calibration: Calibration) -> tuple[Figure, ...]:
    """The published loads, as an instance with these parameters would have measured them."""
    return tuple(replace(f, value=predict(f.row, calibration, LIMITS)[f.metric]) for f in FIGURES)


@pytest.fixture(scope="module")
def compared() -> tuple[Compared, ...]:
    """The published table against the shipped parameters, each load also left out."""
    return compare(FIGURES, published_calibration(), LIMITS)


def test_the_shipped_parameters_are_the_fit_to_the_published_table() -> None:
    fitted, shipped = fit(FIGURES, LIMITS), published_calibration()
    for name in FITTED:
        assert getattr(fitted.parameters, name) == pytest.approx(getattr(shipped.parameters, name), rel=1e-4)
    assert fitted.concurrency_share == pytest.approx(shipped.concurrency_share, rel=1e-4)


@given(st.tuples(*[st.floats(0.5, 2.0)] * 4), st.floats(0.4, 1.0))
@settings(max_examples=15, deadline=None)
def test_the_fit_finds_the_parameters_of_synthetic_measurements(
    factors: tuple[float, float, float, float], share: float
) -> None:
    known = {n: getattr(START.parameters, n) * factor for n, factor in zip(FITTED, factors, strict=True)}
    truth = replace(START, parameters=replace(START.parameters, **known), concurrency_share=share)
    found = fit(measured(truth), LIMITS)
    for name, value in known.items():
        assert getattr(found.parameters, name) == pytest.approx(value, rel=1e-3)
    assert found.concurrency_share == pytest.approx(share, rel=1e-3)


def test_latencies_are_within_the_bar_of_the_published(compared: tuple[Compared, ...]) -> None:
    latency = errors_by_metric(compared)["p50_latency_ms_per_token"]
    assert latency.mean <= 0.016  # the bar is 0.02; rounding to whole ms alone is up to 0.016
    assert latency.maximum <= 0.07


def test_throughputs_are_within_the_bar_of_the_published(compared: tuple[Compared, ...]) -> None:
    throughput = errors_by_metric(compared)["throughput_tokens_per_s"]
    assert throughput.mean <= 0.032  # the bar is 0.035
    assert throughput.maximum <= 0.07


def test_loads_that_the_fit_has_not_seen_are_predicted(compared: tuple[Compared, ...]) -> None:
    found = errors_by_metric(compared)["all"]
    assert found.mean_left_out <= 0.03  # the bar is 0.05
    assert found.maximum_left_out <= 0.08


def test_a_left_out_load_is_predicted_by_a_fit_without_both_its_figures(compared: tuple[Compared, ...]) -> None:
    row = Row(512, 128, 64)
    without = fit(tuple(f for f in FIGURES if f.row != row), LIMITS)
    own = [c for c in compared if c.figure.row == row]
    assert len(own) == 2
    for c in own:
        assert c.predicted_left_out == pytest.approx(predict(row, without, LIMITS)[c.figure.metric], rel=1e-6)


def test_the_published_throughput_is_below_what_its_latency_sustains() -> None:
    for row in (row for row in rows(FIGURES) if row.concurrent_users >= 4):
        value = {f.metric: f.value for f in FIGURES if f.row == row}
        sustained = row.concurrent_users * 1000 / value["p50_latency_ms_per_token"]
        assert 0.66 < value["throughput_tokens_per_s"] / sustained < 0.79


def test_sustained_and_as_benchmarked_agree_where_all_users_are_there() -> None:
    prediction = predict(Row(512, 128, 32), replace(published_calibration(), concurrency_share=1.0), LIMITS)
    assert prediction["throughput_tokens_per_s"] == pytest.approx(prediction["sustained"])


def test_a_prefill_stays_below_the_peak_of_the_gpu_and_a_step_above_reading_the_weights() -> None:
    p = published_calibration().parameters
    # 13.96 GFLOP a token: 6.98 billion parameters without embedding and head. Weights: 14.48 GB at 600 GB/s.
    assert 35e12 < 13.96e9 / p.prefill_per_token < 70e12
    assert 14.48 / 600 < p.decode_step < 2 * 14.48 / 600


@pytest.mark.parametrize(
    ("figures", "message"),
    [
        (FIGURES[:3], "3 figures do not determine 5 parameters"),
        (tuple(f for f in FIGURES if f.row.input_words == 128), "input_words is 128 alone"),
        (tuple(f for f in FIGURES if f.row.concurrent_users < 4), "concurrent_users is 1 and 2 alone"),
        ((*FIGURES, Figure(Row(9000, 128, 1), "p50_latency_ms_per_token", 99)), "MAX_BATCH_PREFILL_TOKENS"),
        ((*FIGURES, Figure(Row(100, 128, 200), "p50_latency_ms_per_token", 99)), "MAX_CONCURRENT_REQUESTS"),
        ((*FIGURES, Figure(Row(100, 20, 2), "p50_latency_ms_per_token", 99)), "output_tokens 20: .* from 96 tokens on"),
    ],
)
def test_measurements_that_do_not_determine_the_parameters_are_refused(
    figures: tuple[Figure, ...], message: str
) -> None:
    with pytest.raises(FitError, match=message):
        fit(figures, LIMITS)
