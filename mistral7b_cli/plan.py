"""`mistral7b plan`: settings, instances and scaling for the workload of an environment file."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import partial
from typing import Annotated, Any

import typer
from rich.text import Text

from mistral7b.capacity.admission import why_never_admitted
from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.memory import fitted_instance_types
from mistral7b.capacity.planner.check import AVERAGE, Scenario, check
from mistral7b.capacity.planner.plan import Plan
from mistral7b.capacity.planner.plan import plan as work_out
from mistral7b.capacity.planner.search import InfeasibleError
from mistral7b.capacity.planner.service import SATURATION
from mistral7b.capacity.planner.sizing import REACTION_S, STARTUP_S
from mistral7b.capacity.plots import plot_plan as draw
from mistral7b.catalog import instance_types
from mistral7b.environment import AutoScaling, Environment, Instance, load_environment, load_environments
from mistral7b.environment.auto import SCALING, VARIABLES
from mistral7b.errors import UserError
from mistral7b.operate import costs
from mistral7b_cli.cost import say_costs
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, ModelFile, PlotFile, Price
from mistral7b_cli.output import progress, say, write_json

commands = typer.Typer()

_EPILOG = """
The environment file says what traffic comes and how fast it has to be served:

    workload:
      input_tokens: {mean: 400, p95: 1500}      # or a number, or a list of samples
      output_tokens: {mean: 150, p95: 400}
      requests_per_second: {average: 0.6, peak: 2.5}
      objective: {p50_ms_per_token: 60, p95_seconds: 30}

**Examples**

$ mistral7b plan prod
$ mistral7b plan prod --price 1.21 --json
$ mistral7b plan prod --plot plan.svg
$ mistral7b plan --all

Status 2 if no settings keep the objective; the message says which nearest one can be kept. A setting that is `auto` in
the file (`MAX_CONCURRENT_REQUESTS: auto`) is planned whenever the file is read.
"""


@commands.command(epilog=_EPILOG)
def plan(  # noqa: PLR0917 - typer makes an option of each
    name: Annotated[str | None, typer.Argument(metavar="ENVIRONMENT", help="Name of the environment.")] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Only compare what all environments cost by their files as they are.")
    ] = False,
    price: Price = None,
    price_list: Annotated[
        bool, typer.Option("--price-list", help="Ask the AWS Price List, by pricing:GetProducts. [default: built-in]")
    ] = False,
    parameters: ModelFile = None,
    plot: PlotFile = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Work out the cheapest settings and instances that serve an environment's workload as fast as it asks for.

    From the performance model of one instance: how many requests in flight keep the objective, how many instances that
    takes at the average and at the peak, and when scaling has to begin so that nobody is refused during the climb.

    AWS is not called, except with --price-list.
    """
    if price is not None and price_list:
        raise UserError("--price and --price-list exclude each other\nfix: give one of them")
    if every and (name or parameters or plot):
        raise UserError("--all takes no environment, --parameters or --plot\nfix: mistral7b plan --all")
    if name is None:
        if not every:
            raise UserError("mistral7b plan needs ENVIRONMENT or --all\nfix: see mistral7b plan --help")
        envs = load_environments(folder).items()
        priced = {of: costs.estimate(env, _price(env, env.instance_type, price, price_list)) for of, env in envs}
        return _compare(priced, as_json)
    env = load_environment(folder, name)
    file = folder / f"{name}.yaml"
    if env.workload is None:
        raise UserError(f"{file}: there is no workload to plan for\nfix: add workload:, as mistral7b plan --help shows")
    model = (Calibration.read(parameters) if parameters else published_calibration()).parameters
    try:
        with progress.status("planning …"):
            found = work_out(env.workload, model)
            scenarios = check(found, model)
    except InfeasibleError as error:
        raise UserError(f"{file}: workload: {error}") from None
    shown = _Report(env, found, scenarios, partial(_price, given=price, listed=price_list))
    if as_json:
        write_json(shown.json())
    else:
        shown.print()
    if plot is not None:
        draw(found, plot, f"{name}: at most {found.settings.max_instances} × {env.instance_type}")
    return None


def _price(env: Environment, kind: str, given: float | None, listed: bool) -> costs.Price:
    """The price of an instance-hour that was asked for."""
    if not listed:
        return costs.price_of(env.region, kind, given)
    # What calls AWS is slow to import.
    from mistral7b.endpoint import caller  # noqa: PLC0415
    from mistral7b.operate import price_list  # noqa: PLC0415
    from mistral7b_cli.aws import explained  # noqa: PLC0415

    with explained(env.region):
        return price_list.current_price(caller.open_session(), env.region, kind)


def _compare(found: Mapping[str, costs.Estimate], as_json: bool) -> None:
    """Shows environments side by side."""
    if as_json:
        return write_json([{"environment": name, **asdict(one)} for name, one in found.items()])
    rows = [
        replace(one.total, item=f"{name} on {one.items[0].item}", count=one.items[0].count)
        for name, one in found.items()
    ]
    return say_costs(("environment", "instances"), rows, found.values())


class _Report:
    """A plan with its price, as text and as JSON."""

    def __init__(
        self, env: Environment, found: Plan, scenarios: list[Scenario], price: Callable[..., costs.Price]
    ) -> None:
        self.env, self.plan, self.scenarios = env, found, scenarios
        self.covered = fitted_instance_types()
        self.type = env.instance_type if env.instance_type in self.covered else self.covered[0]
        self.price, self.price_source = price(env, self.type)
        # With the instances that scaling adds by chance, where that is simulated.
        simulated = [s.mean_instances for s in scenarios if s.name == AVERAGE]
        self.average_instances = simulated[0] if simulated else float(found.settings.min_instances)
        # USD an hour and a million generated tokens, at the average rate and at the peak.
        self.costs: dict[str, float | None] = {}
        counts = (self.average_instances, found.settings.max_instances)
        for when, count, rate in zip(("average", "peak"), counts, found.tokens_per_second, strict=True):
            usd = None if self.price is None else self.price * count
            self.costs[f"usd_per_hour_at_{when}"] = usd
            self.costs[f"usd_per_million_tokens_at_{when}"] = usd and usd / (rate * 0.0036)
        bounds = {field: getattr(found.settings, field) for field in ("min_instances", "max_instances")}
        planned = {"instance": Instance(type=self.type), "auto_scaling": AutoScaling(**bounds), "office_hours": None}
        self.items = costs.estimate(env.model_copy(update=planned), (self.price, self.price_source))

    def settings(self) -> list[tuple[str, str | None, str]]:
        """Each setting with its present and its planned value."""
        current, scaling, planned = self.env.launcher_settings(), self.env.auto_scaling, self.plan.settings
        rows: list[tuple[str, str | None, str]] = [
            (f"tgi.{variable}", f"{getattr(current, variable.lower())}", f"{getattr(planned, variable.lower())}")
            for variable in VARIABLES
        ]
        for field in SCALING:
            before = f"{getattr(scaling, field):g}" if scaling else None
            rows.append((f"auto_scaling.{field}", before, f"{getattr(planned, field):g}"))
        return rows

    def notes(self) -> list[str]:
        """What the figures rest on, and what to know of the present settings."""
        blocked = why_never_admitted(self.env.launcher_settings())
        others = [kind.name for kind in instance_types() if kind.name not in self.covered]
        found = [f"The present settings: {blocked}."] if blocked else []
        if self.type != self.env.instance_type:
            found.append(f"The plan is for {self.type}: the model does not cover {self.env.instance_type}.")
        return [
            *found,
            f"Assumed: a new instance serves {REACTION_S:.0f} s after the target is exceeded (alarm "
            f"{REACTION_S - STARTUP_S:.0f} s, start-up {STARTUP_S:.0f} s), while the rate climbs from average to peak "
            f"in {self.plan.workload.climb_minutes:g} minutes.",
            f"{', '.join(kind for kind in self.covered if kind != self.type)} have the same GPU and more host: by the "
            f"model no faster. Not covered: {', '.join(others)}.",
        ]

    def json(self) -> dict[str, Any]:
        """The plan for scripts."""
        option = self.plan.option
        return {
            "environment": self.env.name,
            "instance_type": self.type,
            "settings": asdict(self.plan.settings),
            "current": {field: now for field, now, _ in self.settings()},
            "binds": option.binds,
            "bound_by": option.allowed.bound_by,
            "max_batch_total_tokens": option.candidate.limits.max_batch_total_tokens,
            "too_long_share": option.candidate.too_long,
            "at_average": asdict(option.at_average),
            "at_peak": asdict(option.at_peak),
            "simulated": [
                {"scenario": s.name, "mean_instances": s.mean_instances, **asdict(s.summary)} for s in self.scenarios
            ],
            "usd_per_instance_hour": self.price,
            "price_source": self.price_source,
            **self.costs,
            "cost": self.items,
            "runners_up": [asdict(other) for other in self.plan.runners_up],
            "notes": self.notes(),
        }

    def print(self) -> None:
        """The plan for people."""
        rows = [
            [Text(cell, "bold" if now != planned else "") for cell in (field, now or "(none)", planned)]
            for field, now, planned in self.settings()
        ]
        say(Table(f"{self.env.name} on {self.type}: {self.env.runs}", ("setting", "now", "planned"), rows))
        say(f"What binds: {_binding(self.plan)}\n")
        say(self._expected())
        say_costs(("item", "number"), (*self.items.items, self.items.total), [self.items])
        if self.price is not None:
            cost = self.costs
            say(
                f"The instances cost {cost['usd_per_hour_at_average']:.4g} USD an hour at the average "
                f"({self.average_instances:.2f} of them), {cost['usd_per_hour_at_peak']:.4g} at the peak; "
                f"per million generated tokens {cost['usd_per_million_tokens_at_average']:.2f} and "
                f"{cost['usd_per_million_tokens_at_peak']:.2f}."
            )
        say("")
        others = [(other.what, other.why) for other in self.plan.runners_up]
        say(Table("Runners-up", ("configuration", "why it is not chosen"), others))
        for note in self.notes():
            say(note)
        say(f"\nFor the environment file:\n\n{_yaml_lines(self.plan)}")

    def _expected(self) -> Table:
        headings = ("", "requests/s", "instances", "in flight each", "p50 ms/token", "p95 ms/token", "p50 s", "p95 s")
        columns: list[tuple[str, ...]] = [(*headings, "refused (429)", "over 60 s")]
        for label, at in (("average", self.plan.option.at_average), ("peak", self.plan.option.at_peak)):
            load = (f"{at.requests_per_second:g}", f"{at.instances}", f"{at.in_flight:.1f}")
            latency = (at.p50_ms_per_token, at.p95_ms_per_token, at.p50_seconds, at.p95_seconds)
            columns.append((label, *load, *_figures(latency, at.refused, at.timed_out)))
        for s in self.scenarios:
            m = s.summary
            load = (f"{m.requests / s.duration_s:.3g}", f"{s.mean_instances:.2f}", "")
            lost = (m.refused / m.requests, m.timed_out / m.requests)
            columns.append((f"simulated: {s.name}", *load, *_figures((*m.per_token_ms[:2], *m.latency_s[:2]), *lost)))
        named, *rows = zip(*columns, strict=True)
        return Table("Expected", named, rows, numbers=True)


def _figures(latency: tuple[float, ...], refused: float, timed_out: float) -> tuple[str, ...]:
    per_token, whole = [f"{value:.1f}" for value in latency[:2]], [f"{value:.2f}" for value in latency[2:]]
    return (*per_token, *whole, f"{refused:.2%}", f"{timed_out:.2%}")


def _yaml_lines(found: Plan) -> str:
    """What to put into the environment file."""
    settings = found.settings
    lines = ["tgi:", *(f"  {variable}: {getattr(settings, variable.lower())}" for variable in VARIABLES)]
    lines += ["auto_scaling:", *(f"  {field}: {getattr(settings, field):g}" for field in SCALING)]
    return "\n".join([*lines, "instance:", f"  count: {settings.min_instances}"])


def _binding(found: Plan) -> str:
    option = found.option
    prefilling, queued = (option.service.mean(option.limit, field) for field in ("prefilling", "queued"))
    bound_by = option.allowed.bound_by
    more = "more would only wait in the queue" if bound_by == SATURATION else f"one more breaks {bound_by}"
    return (
        f"{option.binds}. {option.limit} requests in flight an instance: {more}. At this load, prefills take "
        f"{prefilling:.0%} of its time, requests wait {queued:.0%} of theirs in the queue, and reserve "
        f"{option.memory:.0%} of {option.candidate.limits.max_batch_total_tokens:,} tokens of KV cache."
    )
