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
from math import inf, log
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

_BEGIN = asdict(START.parameters) | {"concurrency_share": START.concurrency_share}

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

_STEP = 1e-3
_EXPECTED_ERROR = 0.03
"""Of a figure or a run. What is off by far more counts less, such as a run whose tokens another tokenizer counted."""


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
    """The calibration of the least relative errors: what the measurements tell is fitted, the rest as at the start.

    Deterministic: 50 ms for a table, some seconds for 100 runs. Raises FitError for measurements that do not tell
    enough, and for loads that could not have been measured with these limits.
    """
    import numpy as np  # noqa: PLC0415 - only a fit needs them, and they load slowly
    from scipy.optimize import least_squares  # noqa: PLC0415

    names = list(told(figures, limits, start, runs))
    if missing := [name for name in ("decode_step", "prefill_per_token") if name not in names]:
        raise FitError(f"the measurements do not determine {' and '.join(missing)}; measure more lengths and users")

    def fitted(logarithms: "NDArray[np.float64]") -> Calibration:
        return _fitted(start, dict(zip(names, np.exp(logarithms).tolist(), strict=True)))

    def residuals(logarithms: "NDArray[np.float64]") -> list[float]:
        return errors(figures, limits, fitted(logarithms), runs)

    most = [-log(START.concurrency_share) if name == "concurrency_share" else inf for name in names]
    options = {"loss": "soft_l1", "f_scale": _EXPECTED_ERROR, "bounds": (-inf, most)}
    solution = least_squares(residuals, np.zeros(len(names)), x_scale=0.1, diff_step=_STEP, **options)
    return fitted(solution.x)


def told(
    figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration = START, runs: Sequence[Runs] = ()
) -> dict[str, float]:
    """The parameters that the measurements tell, and their standard errors.

    Those that they tell least are left out, one by one, until all others are told. Raises FitError for loads that could
    not have been measured with these limits.
    """
    import numpy as np  # noqa: PLC0415

    _check(figures, limits, start)

    def measured(**factors: float) -> "NDArray[np.float64]":
        return np.array(errors(figures, limits, _fitted(start, dict.fromkeys(FITTED, 1.0) | factors), runs))

    before = measured()
    slopes = {name: (before - measured(**{name: 1 - _STEP})) / _STEP for name in FITTED}
    while slopes:
        slope = np.array(list(slopes.values()))
        # What the measurements do not depend on at all gets a very large error instead of a division by zero.
        variances = np.diag(np.linalg.inv(slope @ slope.T + 1e-9 * np.eye(len(slope))))
        found = dict(zip(slopes, (_EXPECTED_ERROR * np.sqrt(variances)).tolist(), strict=True))
        least = max(found, key=lambda name: found[name] / FITTED[name])
        if found[least] <= FITTED[least]:
            return {name: error * _BEGIN[name] for name, error in found.items()}
        del slopes[least]
    return {}


def errors(
    figures: tuple[Figure, ...], limits: RouterLimits, calibration: Calibration, runs: Sequence[Runs] = ()
) -> list[float]:
    """Relative errors of the predictions of figures, and of the latencies of runs."""
    predictions = {row: predict(row, calibration, limits) for row in rows(figures)}
    found = [predictions[f.row][f.metric] / f.value - 1 for f in figures]
    for one in runs:
        pairs = zip(one.latencies(calibration.parameters), one.runs, strict=True)
        found += [latency / run.latency_mean_s - 1 for latency, run in pairs]
    return found


def _fitted(start: Calibration, factors: Mapping[str, float]) -> Calibration:
    """The start, but for some fields of `START` multiplied: fitting logarithms keeps them positive and of one scale."""
    values = {name: _BEGIN[name] * factor for name, factor in factors.items()}
    share = min(1.0, values.pop("concurrency_share", start.concurrency_share))
    return replace(start, parameters=replace(start.parameters, **values), concurrency_share=share)


def _check(figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration) -> None:
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


def compare(figures: tuple[Figure, ...], calibration: Calibration, limits: RouterLimits) -> tuple[Compared, ...]:
    """Every figure of a table against `calibration`, and against a fit to the table without its load.

    That fit leaves what the table does not tell as it is in `calibration`. Raises FitError if the table, less one load,
    does not determine the parameters.
    """
    seen, unseen = {}, {}
    for row in rows(figures):
        rest = tuple(figure for figure in figures if figure.row != row)
        seen[row] = predict(row, calibration, limits)
        unseen[row] = predict(row, fit(rest, limits, calibration), limits)
    return tuple(Compared(f, seen[f.row][f.metric], unseen[f.row][f.metric], seen[f.row]["sustained"]) for f in figures)


def errors_by_metric(compared: tuple[Compared, ...]) -> dict[str, dict[str, float]]:
    """Mean and largest absolute error, fitted and left out, of each metric that is measured, and of `all`."""
    found: dict[str, dict[str, float]] = {}
    for name in (*get_args(Metric), "all"):
        own = [c for c in compared if name in (c.figure.metric, "all")]
        for kind in ("error", "error_left_out") if own else ():
            misses, left_out = [abs(getattr(c, kind)) for c in own], kind.removeprefix("error")
            own_errors = {f"mean{left_out}": sum(misses) / len(misses), f"maximum{left_out}": max(misses)}
            found.setdefault(name, {}).update(own_errors)
    return found
