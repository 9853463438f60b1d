"""Fits the model to measurements, and compares the two.

A parameter is fitted if the measurements tell it (`told`), and otherwise stays as it is at the start. Why the others
never are: docs/performance-model.md, "Parameters".
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.closed_loop import Load, simulate
from mistral7b.capacity.measurements import Figure, Metric, Row, rows
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.runs import Runs
from mistral7b.tgi.memory import KV_BYTES_PER_TOKEN

Array = NDArray[np.float64]

START = Calibration(
    parameters=PerformanceParameters(
        decode_step=0.031,
        decode_per_request=1.5e-4,
        decode_per_kv_token=KV_BYTES_PER_TOKEN
        / 600e9,  # bytes a second of an A10G; this and the next: NVIDIA's data sheet
        decode_per_longest_token=3e-6,
        prefill=0.02,
        prefill_per_token=2.3e-4,
        prefill_per_pair=32 * 4 * 4096 / 70e12,  # layers × 4 × hidden size, over its operations a second in 16 bit
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

_BEGIN = {name: getattr(START.parameters, name, START.concurrency_share) for name in FITTED}
_STEP = 1e-3
_EXPECTED_ERROR = 0.03
"""Of a figure or a run. What is off by far more counts less, such as a run whose tokens another tokenizer counted."""
_ROUNDS, _CONVERGED = 20, 1e-5
_MOST_MOVE = 0.6


class FitError(ValueError):
    """These measurements do not determine the parameters. The message says what is missing."""


def predict(row: Row, calibration: Calibration, limits: RouterLimits) -> dict[Metric, float]:
    """The figures of a load as the benchmark measures them: all its users begin at once.

    The published throughputs are 0.70 to 0.76 of users × 1000 / p50 from 4 users on: by Little's law, so many were in
    flight on average. That is 1 + concurrency_share · (users - 1).

    Raises ValueError if the load cannot be served.
    """
    users = row.concurrent_users
    steady = simulate(_load(row, calibration), calibration.parameters, limits, at_once=True)
    return {
        "p50_latency_ms_per_token": 1000 * steady.latency / row.output_tokens,
        "throughput_tokens_per_s": steady.tokens_per_second * (1 + calibration.concurrency_share * (users - 1)) / users,
    }


def sustained(row: Row, calibration: Calibration, limits: RouterLimits) -> float:
    """Tokens a second of a load with all users in flight, who begin one by one. Raises ValueError as `predict`."""
    return simulate(_load(row, calibration), calibration.parameters, limits).tokens_per_second


def _load(row: Row, calibration: Calibration) -> Load:
    return Load(row.concurrent_users, max(1, round(row.input_words * calibration.tokens_per_word)), row.output_tokens)


def fit(
    figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration = START, runs: Sequence[Runs] = ()
) -> Calibration:
    """The calibration of the least relative errors: what the measurements tell is fitted, the rest as at the start.

    As long as the schedule stays the same, latencies are linear in the parameters. So the errors are linearised and
    solved, a few times. Deterministic: some seconds. Raises FitError for measurements that do not tell enough, and for
    loads that could not have been measured with these limits.
    """
    names = _sufficient(told(figures, limits, start, runs))
    found = _set(start, {name: _BEGIN[name] for name in names})
    for _ in range(_ROUNDS):
        before, slopes = _linearised(figures, limits, found, runs)
        moves = _solved(before, {name: slopes[name] for name in names}, found)
        found = _moved(found, moves)
        if max(map(abs, moves.values())) < _CONVERGED:
            break
    return found


def told(
    figures: tuple[Figure, ...], limits: RouterLimits, start: Calibration = START, runs: Sequence[Runs] = ()
) -> dict[str, float]:
    """The parameters that the measurements tell, and their standard errors.

    Raises FitError for loads that could not have been measured with these limits.
    """
    for row in rows(figures):
        try:
            predict(row, start, limits)
        except ValueError as error:
            load = ", ".join(f"{name} {value}" for name, value in asdict(row).items())
            raise FitError(f"{load}: {error}") from None
    _, slopes = _linearised(figures, limits, _set(start, _BEGIN), runs)
    return {name: error * _BEGIN[name] for name, error in _told(slopes).items()}


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


def _set(calibration: Calibration, values: Mapping[str, float]) -> Calibration:
    times = dict(values)
    share = times.pop("concurrency_share", calibration.concurrency_share)
    return replace(calibration, parameters=replace(calibration.parameters, **times), concurrency_share=min(1.0, share))


def _moved(calibration: Calibration, moves: Mapping[str, float]) -> Calibration:
    """The calibration with each of these values larger by that share of it."""
    now = asdict(calibration.parameters) | asdict(calibration)
    return _set(calibration, {name: now[name] * (1 + move) for name, move in moves.items()})


def _linearised(
    figures: tuple[Figure, ...], limits: RouterLimits, at: Calibration, runs: Sequence[Runs]
) -> tuple[Array, dict[str, Array]]:
    """The errors, and by parameter how much each of them changes with a relative change of it."""
    before = np.array(errors(figures, limits, at, runs))
    less = {name: np.array(errors(figures, limits, _moved(at, {name: -_STEP}), runs)) for name in FITTED}
    return before, {name: (before - changed) / _STEP for name, changed in less.items()}


def _told(slopes: Mapping[str, Array]) -> dict[str, float]:
    """Relative standard errors of what is told. What is told least is left out, one by one, until all else is told."""
    left = dict(slopes)
    while left:
        slope = np.array(list(left.values()))
        # What the measurements do not depend on at all gets a very large error instead of a division by zero.
        variances = np.diag(np.linalg.inv(slope @ slope.T + 1e-9 * np.eye(len(slope))))
        found = dict(zip(left, (_EXPECTED_ERROR * np.sqrt(variances)).tolist(), strict=True))
        least = max(found, key=lambda name: found[name] / FITTED[name])
        if found[least] <= FITTED[least]:
            return found
        del left[least]
    return {}


def _sufficient(found: Mapping[str, float]) -> list[str]:
    if missing := [name for name in ("decode_step", "prefill_per_token") if name not in found]:
        raise FitError(f"the measurements do not determine {' and '.join(missing)}; measure more lengths and users")
    return list(found)


def _solved(before: Array, slopes: Mapping[str, Array], at: Calibration) -> dict[str, float]:
    """The moves that make the linearised errors least."""
    from scipy.optimize import least_squares  # noqa: PLC0415

    slope = np.array(list(slopes.values())).T
    most = [min(1, 1 / at.concurrency_share - 1) if name == "concurrency_share" else 2 for name in slopes]
    options = {"loss": "soft_l1", "f_scale": _EXPECTED_ERROR, "bounds": (-_MOST_MOVE, most)}
    solution = least_squares(lambda x: before + slope @ x, np.zeros(len(slopes)), lambda _x: slope, **options)
    return dict(zip(slopes, solution.x.tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure: as measured, as predicted, and as predicted by a fit without both figures of its load."""

    figure: Figure
    predicted: float
    predicted_left_out: float
    sustained: float
    """Tokens a second of the load with all users in flight."""

    @property
    def errors(self) -> dict[str, float]:
        """Relative errors of the prediction, and of the one that has not seen the load."""
        made = {"": self.predicted, "_left_out": self.predicted_left_out}
        return {f"error{kind}": value / self.figure.value - 1 for kind, value in made.items()}


def compare(figures: tuple[Figure, ...], calibration: Calibration, limits: RouterLimits) -> tuple[Compared, ...]:
    """Every figure of a table against `calibration`, and against a fit to the table without its load.

    That fit leaves what the table does not tell as it is in `calibration`. It is one linear step from the fit to the
    whole table. Raises FitError if the table, less one load, does not determine the parameters.
    """
    whole = fit(figures, limits, calibration)
    before, slopes = _linearised(figures, limits, whole, ())
    seen, unseen, lasting = {}, {}, {}
    for row in rows(figures):
        rest = np.array([figure.row != row for figure in figures])
        known = {name: slope[rest] for name, slope in slopes.items()}
        moves = _solved(before[rest], {name: known[name] for name in _sufficient(_told(known))}, whole)
        seen[row], unseen[row] = predict(row, calibration, limits), predict(row, _moved(whole, moves), limits)
        lasting[row] = sustained(row, calibration, limits)
    return tuple(Compared(f, seen[f.row][f.metric], unseen[f.row][f.metric], lasting[f.row]) for f in figures)


def errors_by_metric(compared: tuple[Compared, ...]) -> dict[str, dict[str, float]]:
    """Mean and largest absolute error, fitted and left out, of each metric that is measured, and of `all`."""
    found: dict[str, dict[str, float]] = {}
    for name in (*get_args(Metric), "all"):
        own = [c.errors for c in compared if name in (c.figure.metric, "all")]
        for kind in own[0] if own else ():
            misses, left_out = [abs(errors[kind]) for errors in own], kind.removeprefix("error")
            found.setdefault(name, {})[f"mean{left_out}"] = sum(misses) / len(misses)
            found[name][f"maximum{left_out}"] = max(misses)
    return found
