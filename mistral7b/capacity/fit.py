"""Fits the model to measurements, and compares the two.

A parameter is fitted if the measurements tell it (`told`), and otherwise stays as it is at the start. Never fitted,
because nothing that is published tells them:

- `decode_per_kv_token`: reading one token's KV cache once, 128 KiB at the A10G's 600 GB/s. 0.22 µs.
- `prefill_per_pair`: the attention of one pair of tokens in 32 layers, 4 × 4096 operations each, at the A10G's peak of
  70 TFLOP/s. 7.5 ns. Left free it comes to 5 ns, faster than the GPU is, with an error of 90%.
- `prefill`: what a prefill costs however short, 20 ms. Left free it comes to 24 ms, with an error of 60%: a single
  request tells only the sum of it and `round_trip`.
- `tokens_per_word`: 1. AWS's public benchmarking notebooks for JumpStart repeat a sentence of eight words that are
  eight tokens. That they made the published table is likely, not certain; but with 1.15 tokens a word or more the
  fitted prefill would be faster than the A10G's peak.
- the KV cache: `mistral7b.tgi.memory`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from math import log
from typing import TYPE_CHECKING, Literal, get_args

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.closed_form import SHORTEST_ANSWER, Load, steady_state
from mistral7b.capacity.measurements import Figure, Metric, Row, rows
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.runs import Runs
from mistral7b.tgi.memory import KV_BYTES_PER_TOKEN

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

A10G_BYTES_PER_SECOND = 600e9
"""Memory bandwidth. Source: NVIDIA's data sheet of the A10G."""

A10G_OPERATIONS_PER_SECOND = 70e12
"""Dense 16 bit tensor operations. Source: as above."""

OPERATIONS_PER_PAIR = 32 * 4 * 4096
"""Query times key and weight times value, a multiplication and an addition each: layers × 4 × hidden size."""

START = Calibration(
    parameters=PerformanceParameters(
        decode_step=0.031,
        decode_per_request=1.5e-4,
        decode_per_kv_token=KV_BYTES_PER_TOKEN / A10G_BYTES_PER_SECOND,
        decode_per_longest_token=3e-6,
        prefill=0.02,
        prefill_per_token=2.3e-4,
        prefill_per_pair=OPERATIONS_PER_PAIR / A10G_OPERATIONS_PER_SECOND,
        sampling=0.0025,
        round_trip=0.0065,
    ),
    tokens_per_word=1.0,
    concurrency_share=0.7,
)
"""Where a fit begins, and what it leaves as it is."""

FITTED = {
    "decode_step": 0.1,
    "decode_per_request": 0.5,
    "decode_per_longest_token": 0.5,
    "prefill_per_token": 0.1,
    "round_trip": 8.0,
    "sampling": 0.5,
    "concurrency_share": 0.1,
}
"""What measurements may tell, and the relative standard error up to which they do. 8 times the round trip is 50 ms."""

_SHARE = "concurrency_share"
_STEP = 1e-3

_NEEDED = {"decode_step": "answers of more lengths", "prefill_per_token": "prompts of more lengths"}
"""What no fit goes without, and what to measure for it."""

_WEIGHT: dict[Metric, float] = {"p50_latency_ms_per_token": 1.5, "throughput_tokens_per_s": 1.0}
"""One over the error to be expected, up to a factor: throughputs also carry how the benchmark's window was cut."""

_EXPECTED_ERROR = 0.03
"""Of a figure or a run. What is off by far more counts less, such as a run whose tokens another tokenizer counted."""

_BOUNDS = (1e-3, 100.0)
"""Of a parameter relative to `START`."""


class FitError(ValueError):
    """These measurements do not determine the parameters. The message says what is missing."""


def predict(row: Row, calibration: Calibration, limits: RouterLimits) -> dict[Metric | Literal["sustained"], float]:
    """The figures of a load as the benchmark measures them, and the throughput that is sustained.

    The latency is that of all users at once. The throughput is Little's law: requests in flight on average over the
    test, over the latency. The published throughputs are 0.70 to 0.76 of users × 1000 / p50 from 4 users on, so not all
    users were in flight all the time: on average 1 + concurrency_share · (users - 1) were.

    Raises ValueError if the load cannot be served.
    """
    load = Load(row.concurrent_users, max(1, round(row.input_words * calibration.tokens_per_word)), row.output_tokens)
    steady = steady_state(load, calibration.parameters, limits)
    in_flight = 1 + calibration.concurrency_share * (row.concurrent_users - 1)
    return {
        "p50_latency_ms_per_token": 1000 * steady.latency / row.output_tokens,
        "throughput_tokens_per_s": in_flight * row.output_tokens / steady.latency,
        "sustained": steady.tokens_per_second,
    }


def fit(
    figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration = START, runs: Sequence[Runs] = ()
) -> Calibration:
    """The calibration of the least errors, with what the measurements tell fitted and the rest as at the start.

    Deterministic: 50 ms for a table, some seconds for 100 runs. Raises FitError for too few loads, and for some that
    could not have been measured with these limits.
    """
    import numpy as np  # noqa: PLC0415 - only a fit needs them, and they load slowly
    from scipy.optimize import least_squares  # noqa: PLC0415

    _check(figures, limits, start, runs)
    names = list(told(figures, limits, start, runs))
    for name, what in _NEEDED.items():
        if name not in names:
            raise FitError(f"the measurements do not tell {name}; measure {what}")

    def changed(logarithms: "NDArray[np.float64]") -> Calibration:
        return _changed(start, dict(zip(names, np.exp(logarithms).tolist(), strict=True)))

    most = [log(1 / start.concurrency_share) + 1e-12 if name == _SHARE else log(_BOUNDS[1]) for name in names]
    solution = least_squares(
        lambda logarithms: _errors(figures, limits, changed(logarithms), runs),
        np.zeros(len(names)),
        bounds=(log(_BOUNDS[0]), most),
        x_scale=0.1,
        diff_step=1e-3,
        loss="soft_l1",
        f_scale=_EXPECTED_ERROR,
    )
    return changed(solution.x)


def told(
    figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration = START, runs: Sequence[Runs] = ()
) -> dict[str, float]:
    """The parameters that the measurements tell, and their relative standard errors.

    Those that they tell least are left as they are at the start, one by one, until all others are told.
    """
    import numpy as np  # noqa: PLC0415

    before = np.array(_errors(figures, limits, start, runs))
    slopes = {
        name: (np.array(_errors(figures, limits, _changed(start, {name: 1 - _STEP}), runs)) - before) / _STEP
        for name in FITTED
    }
    while slopes:
        slope = np.array(list(slopes.values()))
        # What the measurements do not depend on at all gets a very large error instead of a division by zero.
        variances = np.diag(np.linalg.inv(slope @ slope.T + 1e-9 * np.eye(len(slope))))
        errors = dict(zip(slopes, (_EXPECTED_ERROR * np.sqrt(variances)).tolist(), strict=True))
        least = max(errors, key=lambda name: errors[name] / FITTED[name])
        if errors[least] <= FITTED[least]:
            return errors
        del slopes[least]
    return {}


def _errors(
    figures: tuple[Figure, ...], limits: RouterLimits, calibration: Calibration, runs: Sequence[Runs]
) -> list[float]:
    predictions = {row: predict(row, calibration, limits) for row in rows(figures)}
    errors = [_WEIGHT[f.metric] * (predictions[f.row][f.metric] / f.value - 1) for f in figures]
    for one in runs:
        latencies = zip(one.latencies(calibration.parameters), one.runs, strict=True)
        errors += [latency / run.latency_mean_s - 1 for latency, run in latencies]
    return errors


def _values(calibration: Calibration) -> dict[str, float]:
    return asdict(calibration.parameters) | {_SHARE: calibration.concurrency_share}


def _changed(start: Calibration, factors: Mapping[str, float]) -> Calibration:
    """The start with some fields multiplied: by fitting their logarithms they stay positive and of one scale."""
    values = _values(start)
    values |= {name: values[name] * factor for name, factor in factors.items()}
    share = min(1.0, values.pop(_SHARE))
    return replace(start, parameters=PerformanceParameters(**values), concurrency_share=share)


def _check(figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration, runs: Sequence[Runs]) -> None:
    if not runs and len(figures) < 5:
        raise FitError(f"{len(figures)} figures do not determine 5 parameters; measure more loads")
    for name, what in () if runs else (("input_words", "prompt lengths"), ("concurrent_users", "numbers of users")):
        found = sorted({getattr(figure.row, name) for figure in figures})
        if len(found) < 3:
            raise FitError(
                f"{name} is {' and '.join(map(str, found))} alone: it takes at least three {what} to tell the costs of "
                "prompts and of users apart; measure more"
            )
    for row in rows(figures):
        if row.output_tokens < SHORTEST_ANSWER:
            raise FitError(
                f"output_tokens {row.output_tokens}: the model's closed form holds from {SHORTEST_ANSWER} tokens on; "
                "measure with longer answers"
            )
        try:
            predict(row, start, limits)
        except ValueError as error:
            load = ", ".join(f"{name} {value}" for name, value in asdict(row).items())
            raise FitError(f"{load}: {error}") from None


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure: as measured, as predicted, and as predicted by a fit without both figures of its load."""

    figure: Figure
    predicted: float
    predicted_left_out: float
    sustained: float
    """Tokens a second of the load with all users in flight."""

    @property
    def error(self) -> float:
        """Relative error of the prediction."""
        return self.predicted / self.figure.value - 1

    @property
    def error_left_out(self) -> float:
        """Relative error of the prediction that has not seen the load."""
        return self.predicted_left_out / self.figure.value - 1


@dataclass(frozen=True, slots=True)
class Errors:
    """Absolute relative errors of several figures: mean and maximum, fitted and left out."""

    mean: float
    maximum: float
    mean_left_out: float
    maximum_left_out: float


def compare(figures: tuple[Figure, ...], calibration: Calibration, limits: RouterLimits) -> tuple[Compared, ...]:
    """Every figure of a table against `calibration`, and against a fit to the table without its load.

    That fit leaves what the table does not tell as it is in `calibration`. Raises FitError if the table, less one load,
    does not determine the parameters.
    """
    unfitted, fitted = _values(START), _values(calibration)
    start = _changed(calibration, {name: unfitted[name] / fitted[name] for name in told(figures, limits, calibration)})
    seen, unseen = {}, {}
    for row in rows(figures):
        rest = tuple(figure for figure in figures if figure.row != row)
        seen[row] = predict(row, calibration, limits)
        unseen[row] = predict(row, fit(rest, limits, start), limits)
    return tuple(Compared(f, seen[f.row][f.metric], unseen[f.row][f.metric], seen[f.row]["sustained"]) for f in figures)


def errors_by_metric(compared: tuple[Compared, ...]) -> dict[str, Errors]:
    """The errors of each metric that is measured, and of `all`."""
    found = {}
    for name in (*get_args(Metric), "all"):
        own = [(abs(c.error), abs(c.error_left_out)) for c in compared if name in (c.figure.metric, "all")]
        if own:
            fitted, unseen = zip(*own, strict=True)
            found[name] = Errors(sum(fitted) / len(own), max(fitted), sum(unseen) / len(own), max(unseen))
    return found
