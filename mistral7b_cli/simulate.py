"""`mistral7b simulate`: traffic through a fleet of instances under one or more scaling policies."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from mistral7b.capacity import UnservableRequestError
from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.fleet import Fleet, ListedTrace, Policy, Result, Summary, Trace, collect
from mistral7b.capacity.fleet import simulate as run
from mistral7b.capacity.fleet.durations import parse_duration
from mistral7b.capacity.fleet.exact import MOST_REQUESTS
from mistral7b.capacity.fleet.plot import plot as draw
from mistral7b.capacity.fleet.prices import price_of
from mistral7b.environment import load_environment
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, ModelFile, PlotFile, Price
from mistral7b_cli.output import out, say, table, write_json, writing
from mistral7b_cli.simulate_inputs import DEFAULT_INSTANCE, Traffic, container, policies
from mistral7b_cli.waiting import Waiting

commands = typer.Typer()
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
_LEVELS = ("p50", "p95", "p99")


@commands.command(epilog=_EPILOG)
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
    parameters: ModelFile = None,
    price: Price = None,
    plot: PlotFile = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Simulate traffic over instances that scale, and compare policies: latency, refused requests, instances, cost.

    Each instance is TGI's scheduler on the performance model of one GPU; above it SageMaker's routing and 60 s limit,
    and Application Auto Scaling with its alarms and cool-downs. All policies get the same requests.
    """
    env = None if name is None else load_environment(folder, name)
    kind = instance_type or (env.instance_type if env else DEFAULT_INSTANCE)
    settings, limits = container(env, kind)
    calibration = Calibration.read(parameters) if parameters else published_calibration()
    traffic = Traffic(pattern, rate, peak, duration, input_tokens, output_tokens, seed)
    made, title = traffic.trace(settings, limits, trace)
    fleet = Fleet(calibration.parameters, limits, parse_duration(startup, "startup"), routing)
    chosen = policies(policy or [], env)
    try:
        results = _run(made, fleet, chosen, seed)
    except UnservableRequestError as error:
        raise CommandError(f"a request of the traffic would block an instance for good: {error}", 2) from error
    told = _Told(title, kind, *price_of(kind, price))
    if as_json:
        write_json(
            {
                "trace": {"title": title, "duration_s": made.duration_s, "seed": seed},
                "instance_type": kind,
                "usd_per_hour": told.price,
                "price_source": told.price_source,
                "policies": [_summary_json(result.summary, told.price) for result in results],
            }
        )
    else:
        _print(told, [result.summary for result in results])
    if plot is not None:
        with writing(plot):
            draw(results, plot, title)


def _run(trace: Trace, fleet: Fleet, chosen: list[Policy], seed: int) -> list[Result]:
    with Waiting("Reading requests") as waiting:
        listed = ListedTrace(collect(trace, MOST_REQUESTS), trace.duration_s)
        return [run(listed, fleet, one, seed, waiting.share_of(one.name)) for one in chosen]


@dataclass(frozen=True)
class _Told:
    """What every policy has in common."""

    title: str
    instance_type: str
    price: float | None
    price_source: str


def _print(told: _Told, summaries: list[Summary]) -> None:
    say(told.title, "bold")
    price = told.price
    rows: list[tuple[str, list[str]]] = [
        ("requests", [f"{s.requests:,.0f}" for s in summaries]),
        ("answered", [_share(s.answered, s.requests) for s in summaries]),
        ("refused (429)", [_share(s.refused, s.requests) for s in summaries]),
        ("timed out (60 s)", [_share(s.timed_out, s.requests) for s in summaries]),
    ]
    levels = list(enumerate(_LEVELS))
    rows += [(f"latency {level}, s", [f"{s.latency_s[place]:.2f}" for s in summaries]) for place, level in levels]
    rows += [(f"per token {level}, ms", [f"{s.per_token_ms[place]:.1f}" for s in summaries]) for place, level in levels]
    rows.append(("most instances", [str(s.most_instances) for s in summaries]))
    rows.append(("instance-hours", [f"{s.instance_hours:,.2f}" for s in summaries]))
    if price is not None:
        rows.append(("cost, USD", [f"{s.instance_hours * price:,.2f}" for s in summaries]))
        per_answer = [1000 * s.instance_hours * price / max(s.answered, 1) for s in summaries]
        rows.append(("USD per 1,000 answers", [f"{cost:.3f}" for cost in per_answer]))
    headings = ("", *(s.policy for s in summaries))
    out.print(table("", headings, [(label, *cells) for label, cells in rows], numbers=True))
    source = f"{told.price_source}: give it with --price"
    if price is not None:
        source = f"{price:g} USD an hour ({told.price_source})"
    say(f"{told.instance_type}, price: {source}. Engine: {summaries[0].engine}.")


def _share(count: float, of: float) -> str:
    return f"{count:,.0f} ({100 * count / of:.2f}%)"


def _summary_json(summary: Summary, price: float | None) -> dict[str, Any]:
    def by_level(values: tuple[float, ...]) -> dict[str, float | None]:
        return {level: None if math.isnan(value) else value for level, value in zip(_LEVELS, values, strict=True)}

    return asdict(summary) | {
        "latency_s": by_level(summary.latency_s),
        "per_token_ms": by_level(summary.per_token_ms),
        "cost_usd": None if price is None else summary.instance_hours * price,
    }
