"""`mistral7b capacity`: the performance model of one instance, against measurements and fitted to them."""

from dataclasses import asdict, astuple, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.fit import FITTED, START, Compared, FitError, compare, errors_by_metric, fit, predict
from mistral7b.capacity.measurements import published_path, read_measurements
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.capacity.plots import plot_benchmark as draw
from mistral7b.errors import UserError
from mistral7b_cli.layout import Table
from mistral7b_cli.options import AsJson, ModelFile, PlotFile
from mistral7b_cli.output import progress, say, write_json

commands = typer.Typer(
    name="capacity",
    help="How much one instance serves: a model of the GPU and of TGI's router, fitted to benchmarks.",
    no_args_is_help=True,
)

_TABLE_EPILOG = """
**Examples**

$ mistral7b capacity table
$ mistral7b capacity table --plot model.png
$ mistral7b capacity table --measurements mine.csv --parameters mine.json --json

"left out" is predicted by a fit that did not use this row. "sustained" is the throughput with all users active all the
time, which the published benchmark did not have: use this to size an endpoint.
"""

_FIT_EPILOG = """
**Examples**

$ mistral7b capacity fit measurements.csv --tokens-per-word 1.3
$ mistral7b capacity fit measurements.csv --output mine.json && mistral7b capacity table --parameters mine.json

A measurements file looks like the published one:

    metric,input_words,output_tokens,concurrent_users,value
    throughput_tokens_per_s,128,128,1,30
    p50_latency_ms_per_token,128,128,1,32

It takes at least three prompt lengths, three numbers of users and answers of 96 tokens or more, measured on one A10G
(ml.g5.2xlarge, 4xlarge, 8xlarge, 16xlarge) with JumpStart's settings.
"""


@commands.command("table", epilog=_TABLE_EPILOG)
def show_table(
    measurements: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Measurements to compare with, instead of the published."),
    ] = None,
    parameters: ModelFile = None,
    plot: PlotFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare the model with a benchmark, figure by figure: by default the 40 published ones."""
    path, limits = published_path() if measurements is None else measurements, benchmark_limits()
    figures = read_measurements(path)
    calibration = Calibration.read(parameters) if parameters else published_calibration()
    try:
        with progress.status("fitting once without each load …"):
            compared = compare(figures, calibration, limits)
    except FitError as error:
        raise UserError(f"{path}: {error}") from None
    if plot is not None:
        draw(figures, calibration, limits, plot)
    found = errors_by_metric(compared)
    if as_json:
        budget = {"max_batch_total_tokens": limits.max_batch_total_tokens}
        return write_json({"rows": [*map(_json_row, compared)], "errors": found, "calibration": calibration, **budget})
    _print_rows(compared)
    rows = [
        (name, *(f"{value:.1%}" for value in (e.mean, e.maximum, e.mean_left_out, e.maximum_left_out)))
        for name, e in found.items()
    ]
    say(Table("Absolute errors", ("", "mean", "largest", "mean, left out", "largest, left out"), rows))
    share = f"{calibration.concurrency_share:.2f} of the users beyond the first are in flight on average"
    say(f"As benchmarked, {share}. Sustained, all are.")
    return None


@commands.command("fit", epilog=_FIT_EPILOG)
def fit_measurements(
    measurements: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Measurements, one figure a line.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the parameters here.")] = None,
    tokens_per_word: Annotated[
        float, typer.Option(metavar="NUMBER", help="Prompt tokens for each of the input words; English prose has 1.3.")
    ] = 1.0,
    as_json: AsJson = False,
) -> None:
    """Fit the model to measurements of your own, for --parameters of other commands."""
    if not 0.1 <= tokens_per_word <= 100:
        raise UserError(f"--tokens-per-word {tokens_per_word}: it is not between 0.1 and 100\nfix: prose has about 1.3")
    figures, limits = read_measurements(measurements), benchmark_limits()
    try:
        with progress.status("fitting …"):
            calibration = fit(figures, limits, replace(START, tokens_per_word=tokens_per_word))
    except FitError as error:
        raise UserError(f"{measurements}: {error}") from None
    if output is not None:
        calibration.write(output)
    misses = [abs(predict(f.row, calibration, limits)[f.metric] / f.value - 1) for f in figures]
    mean, largest = sum(misses) / len(misses), max(misses)
    if as_json:
        return write_json(asdict(calibration) | {"error": {"mean": mean, "maximum": largest}})
    values = {name: _seconds(value) for name, value in asdict(calibration.parameters).items()}
    values |= {name: f"{getattr(calibration, name):.4g}" for name in ("tokens_per_word", "concurrency_share")}
    fitted = (*FITTED, "concurrency_share")
    rows = [(name, value, "fitted" if name in fitted else "pinned") for name, value in values.items()]
    say(Table(f"{measurements}: {len(figures)} figures", ("parameter", "value", ""), rows))
    say(f"mean error {mean:.1%}, largest {largest:.1%}")
    if output is not None:
        say(f"written to {output}")
    return None


def _seconds(value: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.4g} {unit}"
    return f"{value / 1e-9:.4g} ns"


def _json_row(compared: Compared) -> dict[str, Any]:
    figure = compared.figure
    return {
        "metric": figure.metric,
        **asdict(figure.row),
        "published": figure.value,
        "predicted": compared.predicted,
        "error": compared.error,
        "predicted_left_out": compared.predicted_left_out,
        "error_left_out": compared.error_left_out,
        "sustained_tokens_per_s": compared.sustained,
    }


def _print_rows(compared: tuple[Compared, ...]) -> None:
    headings = ("words", "tokens out", "users", "measured", "model", "error", "left out", "error", "sustained")
    for metric in dict.fromkeys(c.figure.metric for c in compared):
        shown = headings if metric == "throughput_tokens_per_s" else headings[:-1]
        rows = []
        for c in (c for c in compared if c.figure.metric == metric):
            cells = [*map(str, astuple(c.figure.row)), f"{c.figure.value:g}", f"{c.predicted:.1f}", f"{c.error:+.1%}"]
            cells += [f"{c.predicted_left_out:.1f}", f"{c.error_left_out:+.1%}", f"{c.sustained:.0f}"]
            rows.append(cells[: len(shown)])
        say(Table(metric, shown, rows, numbers=True))
