"""`mistral7b capacity`: the performance model of one instance, against measurements and fitted to them."""

from dataclasses import asdict, astuple, replace
from pathlib import Path
from statistics import median
from typing import Annotated, Any

import typer

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.fit import Compared, FitError, compare, errors, errors_by_metric, fit, told
from mistral7b.capacity.measurements import Figure, published_path, read_either, read_measurements
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.capacity.plots import plot_benchmark as draw
from mistral7b.capacity.runs import Runs
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
$ mistral7b capacity fit table.csv runs.csv --output mine.json
$ mistral7b capacity check runs.csv --parameters mine.json

A file has figures as the published table,

    metric,input_words,output_tokens,concurrent_users,value
    throughput_tokens_per_s,128,128,1,30
    p50_latency_ms_per_token,128,128,1,32

of greedy answers of 96 tokens or more, or runs as `capacity check` takes them. What the files do not tell stays as in
the shipped model. Measure on one A10G (ml.g5.2xlarge, 4xlarge, 8xlarge, 16xlarge) with JumpStart's settings.
"""

_CHECK_EPILOG = """
**Examples**

$ mistral7b capacity check runs.csv
$ mistral7b capacity check bench-dev/report.json --greedy --parameters mine.json --json

A file has one run a line: how many requests were sent at once, and means over them.

    concurrency,prompt_tokens_mean,completion_tokens_mean,latency_mean_s
    4,1528.5,101.75,5.5428

Optional columns: completion_tokens_per_s (of the whole run), requests, errors, and payload (runs of one send prompts of
one kind). From runs of one request the model takes how lengths vary.
"""

Greedy = Annotated[bool, typer.Option("--greedy", help="The runs did not sample. [default: they did]")]


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
        (name, *(f"{e[key]:.1%}" for key in ("mean", "maximum", "mean_left_out", "maximum_left_out")))
        for name, e in found.items()
    ]
    say(Table("Absolute errors", ("", "mean", "largest", "mean, left out", "largest, left out"), rows))
    share = f"{calibration.concurrency_share:.2f} of the users beyond the first are in flight on average"
    say(f"As benchmarked, {share}. Sustained, all are.")
    return None


@commands.command("check", epilog=_CHECK_EPILOG)
def check_runs(
    measurements: Annotated[Path, typer.Argument(metavar="FILE.csv", help="Measurements, one run a line.")],
    greedy: Greedy = False,
    parameters: ModelFile = None,
    as_json: AsJson = False,
) -> None:
    """Compare the model with runs of any benchmark: each simulated, and its latency predicted."""
    model = (Calibration.read(parameters) if parameters else published_calibration()).parameters
    _, measured = read_either(measurements, table=False)
    try:
        with progress.status("simulating …"):
            runs = Runs(measured, model, benchmark_limits(), samples=not greedy)
            predicted = runs.latencies(model)
    except ValueError as error:
        raise UserError(f"{measurements}: {error}") from None
    rows = [run.columns() | {"predicted_latency_s": one} for run, one in zip(measured, predicted, strict=True)]
    misses = [(run, one / run.latency_mean_s - 1) for run, one in zip(measured, predicted, strict=True)]
    levels = sorted({run.concurrency for run in measured})
    found = {f"concurrency {n}": [e for run, e in misses if run.concurrency == n] for n in levels}
    found["answers under 30 tokens"] = [error for run, error in misses if run.completion_tokens_mean < 30]
    found["all"] = [error for _, error in misses]
    medians = {group: (len(e), median(map(abs, e)), median(e)) for group, e in found.items() if e}
    if as_json:
        names = ("group", "count", "median_absolute_error", "median_bias")
        groups = [dict(zip(names, (group, *of_group), strict=True)) for group, of_group in medians.items()]
        return write_json({"rows": rows, "groups": groups, "in_flight": runs.in_flight})
    cells = [(group, str(count), f"{error:.1%}", f"{bias:+.1%}") for group, (count, error, bias) in medians.items()]
    say(Table(str(measurements), ("latency", "runs", "median error", "median bias"), cells, numbers=True))
    assumed = " (assumed: no runs of one request with completion_tokens_per_s)" * (not runs.tells_in_flight)
    say(f"Requests that the client had in flight at most: {runs.in_flight}{assumed}")
    return None


@commands.command("fit", epilog=_FIT_EPILOG)
def fit_measurements(
    measurements: Annotated[list[Path], typer.Argument(metavar="FILE.csv...", help="Tables and runs.")],
    output: Annotated[Path | None, typer.Option(metavar="FILE.json", help="Write the parameters here.")] = None,
    tokens_per_word: Annotated[
        float, typer.Option(metavar="NUMBER", help="Prompt tokens for each of the input words; English prose has 1.3.")
    ] = 1.0,
    greedy: Greedy = False,
    as_json: AsJson = False,
) -> None:
    """Fit the model to measurements of your own, for --parameters of other commands."""
    if not 0.1 <= tokens_per_word <= 100:
        raise UserError(f"--tokens-per-word {tokens_per_word}: it is not between 0.1 and 100\nfix: prose has about 1.3")
    limits, start = benchmark_limits(), replace(published_calibration(), tokens_per_word=tokens_per_word)
    figures: tuple[Figure, ...] = ()
    runs: list[Runs] = []
    tells = {}
    try:
        with progress.status("fitting …"):
            for path in measurements:
                own, measured = read_either(path)
                own_runs = [Runs(measured, start.parameters, limits, samples=not greedy)] if measured else []
                tells[str(path)] = told(own, limits, start, own_runs)
                figures, runs = figures + own, runs + own_runs
            fitted = told(figures, limits, start, runs)
            calibration = fit(figures, limits, start, runs)
    except ValueError as error:
        raise UserError(f"{', '.join(map(str, measurements))}: {error}") from None
    if output is not None:
        calibration.write(output)
    misses = [abs(error) for error in errors(figures, limits, calibration, runs)]
    mean, largest = sum(misses) / len(misses), max(misses)
    if as_json:
        return write_json(asdict(calibration) | {"error": {"mean": mean, "maximum": largest}, "told": tells})
    rows = []
    for name, value in (asdict(calibration.parameters) | asdict(calibration)).items():
        if name != "parameters":
            by_file = [f"±{own[name] / value:.1%}" if name in own else "no" for own in tells.values()]
            alone = "fitted" if set(by_file) != {"no"} else "fitted by all files together"
            shown = f"{value:.4g}" if hasattr(calibration, name) else _seconds(value)
            rows.append((name, shown, alone if name in fitted else "pinned", *by_file))
    headings = ("parameter", "value", "", *(f"error by {path.name}" for path in measurements))
    say(Table(f"{len(misses)} figures", headings, rows))
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
    figure, shown = compared.figure, asdict(compared)
    predicted = {name: shown[name] for name in ("predicted", "predicted_left_out")} | compared.errors
    measured = {"metric": figure.metric, **asdict(figure.row), "published": figure.value}
    return measured | predicted | {"sustained_tokens_per_s": compared.sustained}


def _print_rows(compared: tuple[Compared, ...]) -> None:
    headings = ("words", "tokens out", "users", "measured", "model", "error", "left out", "error", "sustained")
    for metric in dict.fromkeys(c.figure.metric for c in compared):
        shown = headings if metric == "throughput_tokens_per_s" else headings[:-1]
        rows = []
        for c in (c for c in compared if c.figure.metric == metric):
            error, left_out = (f"{error:+.1%}" for error in c.errors.values())
            cells = [*map(str, astuple(c.figure.row)), f"{c.figure.value:g}", f"{c.predicted:.1f}", error]
            cells += [f"{c.predicted_left_out:.1f}", left_out, f"{c.sustained:.0f}"]
            rows.append(cells[: len(shown)])
        say(Table(metric, shown, rows, numbers=True))
