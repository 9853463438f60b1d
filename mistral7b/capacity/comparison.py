"""Predicted against measured, figure by figure, and what the model says of a load that it was not fitted to."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import get_args

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.fit import fit, predict, start_from
from mistral7b.capacity.measurements import Figure, Metric, rows


@dataclass(frozen=True, slots=True)
class Compared:
    """One figure: as measured, as predicted, and as predicted by a fit without both figures of its load."""

    figure: Figure
    predicted: float
    predicted_left_out: float

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
    """Every figure of a table against `calibration`, and against a fit, pinned alike, to the table without its load.

    Raises:
        FitError: the table, less one load, does not determine the parameters.
    """
    compared: dict[Figure, Compared] = {}
    for row in rows(figures):
        rest = tuple(figure for figure in figures if figure.row != row)
        fitted = predict(row, calibration, limits).figures
        unseen = predict(row, fit(rest, limits, start_from(calibration)), limits).figures
        for figure in figures:
            if figure.row == row:
                compared[figure] = Compared(figure, fitted[figure.metric], unseen[figure.metric])
    return tuple(compared[figure] for figure in figures)


def errors(compared: Iterable[Compared]) -> Errors:
    """Mean and maximum of the errors of one or more figures."""
    fitted, unseen = zip(*((abs(c.error), abs(c.error_left_out)) for c in compared), strict=True)
    return Errors(sum(fitted) / len(fitted), max(fitted), sum(unseen) / len(unseen), max(unseen))


def errors_by_metric(compared: tuple[Compared, ...]) -> dict[Metric, Errors]:
    """The errors of each metric that is measured."""
    by_metric = {metric: [c for c in compared if c.figure.metric == metric] for metric in get_args(Metric)}
    return {metric: errors(own) for metric, own in by_metric.items() if own}
