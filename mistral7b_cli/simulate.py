"""`mistral7b simulate`: traffic through a fleet of instances under one or more scaling policies."""

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder
from mistral7b_cli.output import out, table, write_json
from mistral7b_cli.simulate_progress import ShareDone

if TYPE_CHECKING:
    from mistral7b.capacity.fleet import Result, Summary
    from mistral7b_cli.simulate_inputs import Inputs

_EPILOG = """
**Traffic** is a CSV file (`time_s,input_tokens,output_tokens`, by time) or Poisson arrivals of a pattern: `constant` at
--rate, `daily` between --rate at night and --peak at 14:00, `burst` from --rate to --peak at a quarter of the duration
for a quarter of it, `ramp` from --rate to --peak. Lengths: `300`, `300:900` (lognormal, mean and p95), or a file with
one count a line. Each request is simulated, 20 million at most: a million take some 20 s a policy, so take a busy hour
rather than a day.

**Policies**: `fixed:4`; `concurrency:16,min=1,max=8` tracks requests in flight per instance (every 10 s);
`invocations:120,min=1,max=8` tracks requests a minute per instance. More settings: `out=60`, `in=300` (cool-downs),
`start=2`, and at times of the trace `min@7h=4`, `max@20h=2`.

**Examples**

`mistral7b simulate`

`mistral7b simulate prod --pattern daily --rate 0.5 --peak 8`

`mistral7b simulate --pattern burst --rate 2 --peak 10 --policy concurrency:16,max=10 --policy invocations:150,max=10
--policy fixed:6 --plot burst.svg`

`mistral7b simulate --trace access.csv --policy concurrency:16,max=10 --json`
"""

_Traffic = "Traffic"
_Fleet = "Fleet"


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("simulate", epilog=_EPILOG)(simulate)


def simulate(  # noqa: PLR0917 - typer makes an option of each
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[ENVIRONMENT]",
            help="Take instance type, TGI limits and auto_scaling from this environment. Default: JumpStart's.",
            show_default=False,
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="CSV file of requests.", rich_help_panel=_Traffic, show_default=False),
    ] = None,
    pattern: Annotated[
        Literal["constant", "daily", "burst", "ramp"],
        typer.Option(help="Shape of made-up traffic.", rich_help_panel=_Traffic),
    ] = "constant",
    rate: Annotated[float, typer.Option(help="Requests per second.", rich_help_panel=_Traffic)] = 2.0,
    peak: Annotated[
        float | None,
        typer.Option(
            help="Requests per second at most. [default: 5 × rate]", rich_help_panel=_Traffic, show_default=False
        ),
    ] = None,
    duration: Annotated[
        str | None,
        typer.Option(help="Such as 90m or 24h. [default: 2h, daily 24h]", rich_help_panel=_Traffic, show_default=False),
    ] = None,
    input_tokens: Annotated[
        str, typer.Option("--input", metavar="TOKENS", help="Length of prompts.", rich_help_panel=_Traffic)
    ] = "300:900",
    output_tokens: Annotated[
        str, typer.Option("--output", metavar="TOKENS", help="Length of answers.", rich_help_panel=_Traffic)
    ] = "150:400",
    seed: Annotated[
        int, typer.Option(min=0, help="Equal seeds give equal traffic and results.", rich_help_panel=_Traffic)
    ] = 1,
    policy: Annotated[
        list[str] | None,
        typer.Option(
            help="Scaling policy, as below; again for another one on the same traffic. "
            "[default: the environment's, else concurrency:16,min=1,max=4]",
            rich_help_panel=_Fleet,
            show_default=False,
        ),
    ] = None,
    instance_type: Annotated[
        str | None,
        typer.Option(
            help="SageMaker instance type. [default: ml.g5.2xlarge]", rich_help_panel=_Fleet, show_default=False
        ),
    ] = None,
    startup: Annotated[
        str, typer.Option(help="From the decision to add an instance until it serves.", rich_help_panel=_Fleet)
    ] = "5m",
    routing: Annotated[
        Literal["least-outstanding", "random"], typer.Option(help="How requests are spread.", rich_help_panel=_Fleet)
    ] = "least-outstanding",
    parameters: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Performance model that `capacity fit --output` wrote. [default: of the published benchmark]",
            rich_help_panel=_Fleet,
            show_default=False,
        ),
    ] = None,
    price: Annotated[
        float | None,
        typer.Option(
            min=0, help="USD per instance-hour. [default: built-in]", rich_help_panel=_Fleet, show_default=False
        ),
    ] = None,
    plot: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw load, instances and latency: .png, .svg, .pdf.", show_default=False),
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Simulate traffic over instances that scale, and compare policies: latency, refused requests, instances, cost.

    Each instance is TGI's scheduler on the performance model of one GPU; above it SageMaker's routing and 60 s limit,
    and Application Auto Scaling with its alarms and cool-downs. All policies get the same requests.
    """
    from mistral7b.capacity import UnservableRequestError  # noqa: PLC0415
    from mistral7b.capacity.calibration import CalibrationError  # noqa: PLC0415 - numpy takes time to load
    from mistral7b.capacity.fleet import TraceError  # noqa: PLC0415
    from mistral7b_cli import simulate_inputs as inputs  # noqa: PLC0415

    try:
        traffic = inputs.Traffic(trace, pattern, rate, peak, duration, input_tokens, output_tokens, seed)
        what = inputs.read(
            traffic, folder, name, inputs.FleetOptions(policy or [], instance_type, startup, routing, parameters, price)
        )
        if plot is not None:
            _check_plot(plot)
        results = _run(what, seed)
    except UnservableRequestError as error:
        raise CommandError(f"a request of the traffic would block an instance for good: {error}", 2) from error
    except (TraceError, CalibrationError, inputs.InputError) as error:
        raise CommandError(str(error), 2) from error
    if as_json:
        write_json(_json(what, results, seed))
    else:
        _print(what, results)
    if plot is not None:
        _draw(results, plot, what.title)


def _run(what: "Inputs", seed: int) -> "list[Result]":
    from mistral7b.capacity.fleet import ListedTrace, collect, simulate  # noqa: PLC0415
    from mistral7b.capacity.fleet.exact import MOST_REQUESTS  # noqa: PLC0415

    with ShareDone() as share:
        share.begin("Reading requests")
        listed = ListedTrace(collect(what.trace, MOST_REQUESTS), what.trace.duration_s)
        return [simulate(listed, what.fleet, p, seed, share.begin(p.name)) for p in what.policies]


def _print(what: "Inputs", results: "list[Result]") -> None:
    out.print(what.title, style="bold", soft_wrap=True, markup=False)
    shown = table("", "", *(result.summary.policy for result in results))
    for column in shown.columns[1:]:
        column.justify = "right"
    summaries = [result.summary for result in results]
    for label, cells in _rows(what, summaries):
        shown.add_row(label, *cells)
    out.print(shown)
    source = (
        f"{what.price:g} USD an hour ({what.price_source})"
        if what.price is not None
        else f"{what.price_source}: give it with --price"
    )
    out.print(f"{what.instance_type}, price: {source}. Engine: {summaries[0].engine}.", soft_wrap=True)


def _rows(what: "Inputs", summaries: "list[Summary]") -> list[tuple[str, list[str]]]:
    def share(count: float, of: float) -> str:
        return f"{count:,.0f} ({100 * count / of:.2f}%)"

    rows = [
        ("requests", [f"{s.requests:,.0f}" for s in summaries]),
        ("answered", [share(s.answered, s.requests) for s in summaries]),
        ("refused (429)", [share(s.refused, s.requests) for s in summaries]),
        ("timed out (60 s)", [share(s.timed_out, s.requests) for s in summaries]),
    ]
    for place, level in enumerate(("p50", "p95", "p99")):
        rows.append((f"latency {level}, s", [f"{s.latency_s[place]:.2f}" for s in summaries]))
    for place, level in enumerate(("p50", "p95", "p99")):
        rows.append((f"per token {level}, ms", [f"{s.per_token_ms[place]:.1f}" for s in summaries]))
    rows.append(("most instances", [str(s.most_instances) for s in summaries]))
    rows.append(("instance-hours", [f"{s.instance_hours:,.2f}" for s in summaries]))
    if what.price is not None:
        price = what.price
        rows.append(("cost, USD", [f"{s.instance_hours * price:,.2f}" for s in summaries]))
        rows.append(
            (
                "USD per 1,000 answers",
                [f"{1000 * s.instance_hours * price / max(s.answered, 1):.3f}" for s in summaries],
            )
        )
    return rows


def _json(what: "Inputs", results: "list[Result]", seed: int) -> dict[str, Any]:
    return {
        "trace": {"title": what.title, "duration_s": what.trace.duration_s, "seed": seed},
        "instance_type": what.instance_type,
        "usd_per_hour": what.price,
        "price_source": what.price_source,
        "policies": [_summary_json(result.summary, what.price) for result in results],
    }


def _summary_json(summary: "Summary", price: float | None) -> dict[str, Any]:
    def by_level(values: tuple[float, ...]) -> dict[str, float | None]:
        return {
            level: None if math.isnan(value) else value
            for level, value in zip(("p50", "p95", "p99"), values, strict=True)
        }

    cost = None if price is None else summary.instance_hours * price
    return asdict(summary) | {
        "latency_s": by_level(summary.latency_s),
        "per_token_ms": by_level(summary.per_token_ms),
        "cost_usd": cost,
    }


def _check_plot(file: Path) -> None:
    from mistral7b.capacity.plots import SUFFIXES  # noqa: PLC0415

    if file.suffix not in SUFFIXES or not file.parent.is_dir():
        raise CommandError(
            f"--plot = {file}\n    it has to be a file in a folder that exists, and end in {', '.join(SUFFIXES)}\n"
            "    fix: write --plot simulation.svg",
            2,
        )


def _draw(results: "list[Result]", file: Path, title: str) -> None:
    from mistral7b.capacity.plots import plot_simulations as plot  # noqa: PLC0415

    try:
        plot(results, file, title)
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from error
