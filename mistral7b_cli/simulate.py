"""`mistral7b simulate`: traffic through a fleet of instances under one or more scaling policies."""

import math
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from mistral7b import catalog
from mistral7b.capacity.admission import RouterLimits, UnservableRequestError
from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.fleet.arrivals import CLIMB_S, DAY_S, Pattern, parse_lengths, poisson_trace, rate_over_time
from mistral7b.capacity.fleet.exact import Summary
from mistral7b.capacity.fleet.exact import simulate as run
from mistral7b.capacity.fleet.policy_spec import parse_policy
from mistral7b.capacity.fleet.trace import LONGEST_S, Trace, parse_duration, read_trace
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.memory import router_limits
from mistral7b.capacity.planner.check import climb_duration
from mistral7b.capacity.planner.lengths import requests_of
from mistral7b.capacity.plots import plot_simulations as draw
from mistral7b.environment import AutoScaling, Environment, load_environment
from mistral7b.errors import UserError
from mistral7b.operate.costs import price_of
from mistral7b.tgi import LauncherSettings, parse_environment
from mistral7b.workload import ANSWER_LIMIT_S, STREAM_LIMIT_S, Tokens, Workload
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, ModelFile, PlotFile, Price
from mistral7b_cli.output import say, write_json
from mistral7b_cli.waiting import Waiting
from scaling_rules import Policy, ScheduledAction

_DEFAULT_INSTANCE = "ml.g5.2xlarge"
_TYPE_FIX = (
    "leave --instance-type out for ml.g5.2xlarge, or give another with one A10G: ml.g5.4xlarge, 8xlarge, 16xlarge"
)
_LEVELS = ("p50", "p95", "p99")
_traffic = partial(typer.Option, rich_help_panel="Traffic")
_tokens = partial(_traffic, metavar="TOKENS")
_fleet = partial(typer.Option, rich_help_panel="Fleet")


def simulate(  # noqa: PLR0917 - typer makes an option of each
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="ENVIRONMENT",
            help="Take workload, instance type, TGI limits and auto_scaling from this environment, its schedule as "
            "from Monday, 0:00. Default: JumpStart's, and made-up traffic.",
        ),
    ] = None,
    trace: Annotated[Path | None, _traffic(metavar="FILE", help="CSV file of requests.")] = None,
    pattern: Annotated[Pattern | None, _traffic(help="Shape. [default: climb of a workload, or constant]")] = None,
    rate: Annotated[float | None, _traffic(help="Requests per second. [default: the workload's, or 2]")] = None,
    peak: Annotated[float | None, _traffic(help="Highest rate. [default: the workload's, or 5 × rate]")] = None,
    duration: Annotated[str | None, _traffic(metavar="DURATION", help="Such as 90m. [default: 2h, daily 24h]")] = None,
    input_tokens: Annotated[
        str | None, _tokens("--input", help="Prompts. [default: the workload's, or 300:900]")
    ] = None,
    output_tokens: Annotated[
        str | None, _tokens("--output", help="Answers. [default: the workload's or 150:400]")
    ] = None,
    streaming: Annotated[
        bool | None,
        _traffic("--streaming/--no-streaming", help="SageMaker waits for 8 minutes. [default: as the workload says]"),
    ] = None,
    seed: Annotated[int, _traffic(min=0, help="Equal seeds give equal traffic and results.")] = 1,
    policy: Annotated[
        list[str] | None,
        _fleet(
            metavar="POLICY",
            help="Scaling policy, as below; again for another one on the same traffic. "
            "Default: the environment's, else concurrency:16,min=1,max=4.",
        ),
    ] = None,
    instance_type: Annotated[
        str | None, _fleet(metavar="TYPE", help="SageMaker instance type. [default: ml.g5.2xlarge]")
    ] = None,
    startup: Annotated[str, _fleet(metavar="DURATION", help="Until an added instance serves.")] = "5m",
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
    kind = instance_type or (env.instance_type if env else _DEFAULT_INSTANCE)
    settings, limits = _container(env, kind)
    calibration = Calibration.read(parameters) if parameters else published_calibration()
    longest = min(settings.max_input_length, limits.max_batch_prefill_tokens // 16 * 16)
    most, workload = settings.max_total_tokens, env.workload if env else None
    streaming = bool(workload and workload.streaming) if streaming is None else streaming
    waits = STREAM_LIMIT_S if streaming else ANSWER_LIMIT_S
    if trace is not None:
        with Waiting("Reading requests"):
            made, title = read_trace(trace, longest, most), str(trace)
    else:
        options = {"pattern": pattern, "rate": rate, "peak": peak, "duration": duration}
        options |= {"input": input_tokens, "output": output_tokens}
        made, title = _traffic_of(name, workload, options, (longest, most), seed)
    model = calibration.parameters.sampled() if workload and workload.sampling else calibration.parameters
    fleet = Fleet(model, limits, parse_duration(startup, "--startup"), waits)
    chosen = _policies(policy or [], env)
    try:
        with Waiting("Simulating") as waiting:
            results = [run(made, fleet, one, waiting.share_of(one.name)) for one in chosen]
    except UnservableRequestError as error:
        raise UserError(f"a request of the traffic would block an instance for good: {error}") from error
    usd_per_hour, price_source = price_of(env.region if env else "us-east-1", kind, price)
    summaries = [result.summary for result in results]
    if as_json:
        write_json(
            {
                "trace": {"title": title, "duration_s": made.duration_s, "seed": seed},
                "instance_type": kind,
                "startup_s": fleet.startup_s,
                "answer_limit_s": waits,
                "max_concurrent_requests": limits.max_concurrent_requests,
                "usd_per_hour": usd_per_hour,
                "price_source": price_source,
                "policies": [_summary_json(summary, usd_per_hour) for summary in summaries],
            }
        )
    else:
        headings = ("", *(summary.policy.replace(",", ", ") for summary in summaries))
        columns = [_column(summary, usd_per_hour, waits) for summary in summaries]
        rows = [(label, *(column[label] for column in columns)) for label in columns[0]]
        say(Table(title, headings, rows, numbers=True))
        shown = price_source if usd_per_hour is None else f"{usd_per_hour:g} USD an hour ({price_source})"
        assumed = f"Start-up: {fleet.startup_s:g} s. Limit: {limits.max_concurrent_requests} in flight on each"
        say(f"{kind}, price: {shown}. {assumed}, least-outstanding routing.")
    if plot is not None:
        draw(results, plot, title, usd_per_hour, waits)


def _traffic_of(
    name: str | None, workload: Workload | None, options: dict[str, Any], limits: tuple[int, int], seed: int
) -> tuple[Trace, str]:
    """Requests as the options say, or else the workload, or else made-up ones; and whose they are."""
    longest, most = limits
    given = ", ".join(f"--{option}" for option, value in options.items() if value and option != "duration")
    pattern: Pattern = options["pattern"] or ("climb" if workload else "constant")
    rate, peak = options["rate"], options["peak"]
    asked, climb_s = 0, CLIMB_S
    inputs: Tokens
    outputs: Tokens
    whose = f"made up by {given}" if given else "built in, not yours: give --rate, --input …, or a workload"
    if workload is not None:
        every = requests_of(workload)
        fitting = [one for one in every if one.input_tokens <= min(longest, most - one.max_new_tokens)]
        if not fitting:
            raise UserError(f"no request of the workload fits into {name}'s container\nfix: see mistral7b plan {name}")
        left_out = f"; {1 - len(fitting) / len(every):.1%} too long, left out" * (len(fitting) < len(every))
        whose = f"workload of {name}{', but ' if given else ''}{given}{left_out}"
        asked, climb_s = workload.max_new_tokens or 0, 60 * workload.climb_minutes
        inputs, outputs = [one.input_tokens for one in fitting], [one.output_tokens for one in fitting]
        if rate is None:
            rate, peak = workload.requests_per_second.average, peak or workload.requests_per_second.peak
    if workload is None or options["input"]:
        inputs = parse_lengths(options["input"] or "300:900", "--input", longest)
    if workload is None or options["output"]:
        outputs = parse_lengths(options["output"] or "150:400", "--output", most - 1)
    rate = 2.0 if rate is None else rate
    peak = 5 * rate if peak is None else peak
    usual = {"daily": DAY_S, "climb": climb_duration(climb_s)}.get(pattern, 7200.0)
    seconds = parse_duration(options["duration"] or f"{usual:g}", "--duration")
    rates = rate_over_time(pattern, rate, peak, seconds, climb_s)
    made = poisson_trace(rates, seconds, inputs, outputs, seed=seed, max_total_tokens=most)
    lasts = f"{seconds / 3600:g} h" if seconds >= 7200 else f"{seconds / 60:g} min"
    tokens = (f"{of.mean():.0f} tokens (p95 {np.quantile(of, 0.95):.0f})" for of in (made.inputs, made.outputs))
    bounds = f"{rate:g}" if pattern == "constant" or peak == rate else f"{rate:g} to {peak:g}"
    title = f"{pattern}, {bounds} requests/s for {lasts}"
    title = "Traffic: {}\n{}; prompts of {}, answers of {}".format(whose, title, *tokens)
    return replace(made, max_new_tokens=asked), title


def _column(s: Summary, price: float | None, waits: float) -> dict[str, str]:
    """What the table shows of a policy, by its label."""
    shown = {"requests": f"{s.requests:,.0f}"}
    lost = {"refused (429)": s.refused, f"timed out ({waits:g} s)": s.timed_out}
    for label, count in ({"answered": s.answered} | lost).items():
        shown[label] = f"{count:,.0f} ({100 * count / s.requests:.2f}%)"
    streamed = {"first token {}, s": s.first_token_s} if waits > ANSWER_LIMIT_S else {}
    times = {"latency {}, s": s.latency_s, "per token {}, ms": s.per_token_ms} | streamed
    for label, values in times.items():
        shown |= {label.format(level): f"{value:.2f}" for level, value in zip(_LEVELS, values, strict=True)}
    shown |= {"most instances": f"{s.most_instances}", "flaps": f"{s.flaps}"}
    shown["instance-hours"] = f"{s.instance_hours:,.2f}"
    if price is not None:
        cost = s.instance_hours * price
        shown |= {"cost, USD": f"{cost:,.2f}", "USD per 1,000 answers": f"{1000 * cost / max(s.answered, 1):.3f}"}
    return shown


def _summary_json(summary: Summary, price: float | None) -> dict[str, Any]:
    shown = asdict(summary) | {"cost_usd": None if price is None else summary.instance_hours * price}
    for field in ("latency_s", "per_token_ms", "first_token_s"):
        known = (None if math.isnan(value) else value for value in shown[field])
        shown[field] = dict(zip(_LEVELS, known, strict=True))
    return shown


def _container(env: Environment | None, kind: str) -> tuple[LauncherSettings, RouterLimits]:
    """The settings of the container, the environment's or else JumpStart's, and what it batches by on this type."""
    try:
        default = catalog.model("instruct").default_version
        settings = env.launcher_settings() if env else parse_environment(default.environment(kind))
        return settings, router_limits(settings, kind)
    except (LookupError, ValueError) as error:
        raise UserError(f"--instance-type {kind}: {error}\nfix: {_TYPE_FIX}") from None


def _schedule(scaling: AutoScaling) -> tuple[ScheduledAction, ...]:
    """The environment's own bounds by the hour, for as long as a trace can last."""
    weeks = [7 * 24 * week for week in range(math.ceil(LONGEST_S / (7 * DAY_S)))] if scaling.schedule else []
    return tuple(ScheduledAction(3600 * (week + at), low, high) for week in weeks for at, low, high in scaling.week)


def _policies(texts: list[str], env: Environment | None) -> list[Policy]:
    """Those that the texts describe; without any the environment's own, or else a default."""
    base = Policy("", 1, 4, scale_out_cooldown_s=60.0, scale_in_cooldown_s=300.0)
    own = parse_policy("concurrency:16,min=1,max=4", base)
    if env is not None:
        low, high = env.instance_bounds
        own = Policy(f"{env.name}: fixed:{high}", low, high)
        if scaling := env.auto_scaling:
            target = scaling.target_concurrent_requests
            pauses = float(scaling.scale_out_cooldown_seconds), float(scaling.scale_in_cooldown_seconds)
            name = f"{env.name}: concurrency:{target:g},min={low},max={high}{',by schedule' * bool(scaling.schedule)}"
            _, low, high = scaling.week[-1]  # the trace begins on Monday, 0:00
            own = base = Policy(name, low, high, "concurrency", target, *pauses, env.instance.count, _schedule(scaling))
    return [parse_policy(text, base) for text in texts] or [own]
