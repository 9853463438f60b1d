"""`mistral7b plan`: settings, instances and scaling for the workload of an environment file."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer
from rich.text import Text

from mistral7b.capacity.admission import RouterLimits, why_never_admitted
from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.memory import fitted_instance_types, router_limits
from mistral7b.capacity.planner.candidates import Pinned
from mistral7b.capacity.planner.check import AVERAGE, BURST, PEAK, SCENARIOS, Scenario, run
from mistral7b.capacity.planner.plan import Plan
from mistral7b.capacity.planner.plan import plan as work_out
from mistral7b.capacity.planner.search import InfeasibleError
from mistral7b.capacity.planner.service import SATURATION
from mistral7b.capacity.planner.sizing import REACTION_S, STARTUP_S
from mistral7b.capacity.plots import plot_plan as draw
from mistral7b.environment import AutoScaling, Environment, Instance, load_environment, load_environments
from mistral7b.environment.auto import AUTO, SCALING, VARIABLES, given
from mistral7b.errors import UserError
from mistral7b.operate import costs
from mistral7b.workload import LATENCIES
from mistral7b_cli.cost import say_costs
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, ModelFile, PlotFile, Price
from mistral7b_cli.output import progress, say, write_json

_FLAPS = "at the peak, half an hour long, it {} times adds instances within 15 minutes after it removed some"
_COOLDOWN = "scale_out_cooldown_seconds"


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
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what binds, and rejected settings, too.")] = False,
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
    try:
        limits = router_limits(env.launcher_settings(), env.instance_type)
    except (LookupError, ValueError) as error:
        fix = f"plan for weights of 16 bit on one of {', '.join(fitted_instance_types())}"
        raise UserError(f"{file}: {env.instance_type} cannot be planned: {error}\nfix: {fix}") from None
    model = (Calibration.read(parameters) if parameters else published_calibration()).parameters
    pinned = Pinned(**dict(given(env)))  # type: ignore[arg-type]  # each name has its own type
    try:
        with progress.status("planning …"):
            found = work_out(env.workload, model, pinned)
            peak = run(PEAK, env.workload, found.option, found.parameters, pinned)
            scenarios = [one for one in (peak, *found.scenarios.values()) if one is not None]
            flaps = _flaps(env, found, limits)
    except InfeasibleError as error:
        raise UserError(f"{file}: workload: {error}") from None
    shown = _Report(env, found, scenarios, flaps, _price(env, env.instance_type, price, price_list))
    if as_json:
        write_json(shown.json())
    else:
        shown.print(verbose)
    if plot is not None:
        draw(found, plot, shown.answer().split("\n")[0])
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


def _flaps(env: Environment, found: Plan, limits: RouterLimits) -> list[str]:
    """Whether in a constant burst the file's own policy, or the planned one, adds again what it has just removed."""
    notes = []
    if found.flaps:
        notes.append(
            f"The planned auto_scaling flaps: {_FLAPS.format(found.flaps)}. No cool-down and no target that was tried "
            f"ends that; min_instances: {found.settings.max_instances} does."
        )
    if env.auto_scaling is None:
        return notes
    present = {field: getattr(env.auto_scaling, field) for field in (*SCALING, _COOLDOWN)}
    settings = replace(found.settings, max_concurrent_requests=limits.max_concurrent_requests, **present)
    candidate = replace(found.option.candidate, limits=limits)
    option = replace(found.option, candidate=candidate, settings=settings)
    burst = run(BURST, found.workload, option, found.parameters, found.pinned)
    if burst and burst.summary.flaps:
        better = f"The planned one does so {found.flaps} times"
        notes.append(f"The present auto_scaling flaps: {_FLAPS.format(burst.summary.flaps)}. {better}.")
    return notes


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
        self, env: Environment, found: Plan, scenarios: list[Scenario], flaps: list[str], price: costs.Price
    ) -> None:
        self.env, self.plan, self.scenarios, self.flaps = env, found, scenarios, flaps
        self.price, self.price_source = price
        # The cool-down is the file's, unless another one ends flapping.
        longer = found.settings.scale_out_cooldown_seconds > found.pinned.scale_out_cooldown_seconds
        self.scaling = (*SCALING, _COOLDOWN) if longer else SCALING
        low, high = self.bounds = (found.settings.min_instances, found.settings.max_instances)
        self.zones = len(set(env.availability_zones))
        self.without_a_zone = found.served_without_a_zone(self.zones)
        # Bounds that are equal scale nothing; `auto` in the file keeps them.
        self.fixed = low == high and not any("auto_scaling" in one for one in env.planned)
        # With the instances that scaling adds by chance, where that is simulated.
        simulated = [s.mean_instances for s in scenarios if s.name == AVERAGE]
        self.average_instances = simulated[0] if simulated else float(low)
        # USD an hour and a million generated tokens, at the average rate and at the peak.
        self.costs: dict[str, float | None] = {}
        counts = (self.average_instances, high)
        for when, count, rate in zip(("average", "peak"), counts, found.tokens_per_second, strict=True):
            usd = None if self.price is None else self.price * count
            self.costs[f"usd_per_hour_at_{when}"] = usd
            self.costs[f"usd_per_million_tokens_at_{when}"] = usd and usd / (rate * 0.0036)
        scaling = None if self.fixed else AutoScaling(min_instances=low, max_instances=high)
        changed = {
            "instance": Instance(type=env.instance_type, count=low),
            "auto_scaling": scaling,
            "office_hours": None,
        }
        self.items = costs.estimate(env.model_copy(update=changed), (self.price, self.price_source))

    def answer(self) -> str:
        """Three lines: what to run, why an instance takes no more, and how far from the objective that is."""
        option, at, low, high = self.plan.option, self.plan.option.at_peak, *self.bounds
        held, bound_by = self.plan.workload.objective.latencies(), option.allowed.bound_by
        name = max(held, key=lambda one: at.latencies[one] / held[one])
        usd = (self.costs[f"usd_per_hour_at_{when}"] for when in ("average", "peak"))
        cost = "" if self.price is None else ", {:.2f} USD an hour at the average, {:.2f} at the peak".format(*usd)
        why = "more would only wait" if bound_by == SATURATION else f"one more breaks {bound_by}"
        spare = 100 * (option.most_rate / self.plan.workload.requests_per_second.peak - 1)
        return (
            f"{self.env.name}: {low if low == high else f'{low} to {high}'} × {self.env.instance_type}{cost}.\n"
            f"At most {option.limit} requests in flight on each: {why}.\n"
            f"At the peak: {name} {at.latencies[name]:.3g} of {held[name]:g}; room for {spare:.1f}% more requests."
        )

    def settings(self) -> list[tuple[str, str | None, str | None]]:
        """Each setting with its present and its planned value."""
        env, planned = self.env, self.plan.settings
        rows: list[tuple[str, str | None, str | None]] = []
        for section, now, names in (
            ("tgi", env.launcher_settings(), VARIABLES),
            ("auto_scaling", env.auto_scaling, self.scaling),
        ):
            for name in names:
                new = None if self.fixed and names is self.scaling else f"{getattr(planned, name.lower()):g}"
                rows.append((f"{section}.{name}", f"{getattr(now, name.lower()):g}" if now else None, new))
        return [*rows, ("instance.count", f"{env.instance.count}", f"{self.bounds[0]}")]

    def notes(self) -> list[str]:
        """What to know of the plan and of the present settings, what matters most first."""
        env, workload, found, now = self.env, self.plan.workload, list[str](), self.env.instance_bounds[0]
        if self.bounds[0] > 1:
            found.append(
                f"If one of {self.zones} zones fails, the instances of the others serve {{:.0%}} of the average and "
                "{:.0%} of the peak, until new ones have started there.".format(*self.without_a_zone)
            )
        if self.bounds[0] == 1:
            losing = f"{env.name} always runs {now} now, this plan one at times: with" if now > 1 else "With"
            found.append(
                f"{losing} one instance, a zone or an instance that fails stops the service until another has started. "
                "workload.survives_zone: true plans two, in two zones."
            )
        elif workload.survives_zone and self.bounds[0] == 2:
            (one,) = (other.why for other in self.plan.runners_up if other.what == "min_instances 1")
            found.append(f"Two instances always run, in two zones, as survives_zone is true; one {one}.")
        changed = [field for field, now, new in self.settings() if now != new and field not in env.planned]
        if env.planned and changed:
            found.append(
                f"{AUTO} deploys the values that are shown as {AUTO}, and keeps the rest of the file. For this plan "
                f"also change {', '.join(changed)}, or make them {AUTO}."
            )
        found += self.flaps
        burst = self.plan.scenarios.get(BURST)
        if burst and burst.lost > workload.objective.lost_percent / 100:
            found.append(
                f"If the peak comes at once (burst), {burst.lost:.1%} of the requests are lost until instances have "
                "started. climb_minutes: 0 plans for that."
            )
        if blocked := why_never_admitted(env.launcher_settings()):
            found.append(f"The present settings: {blocked}.")
        return [
            *found,
            f"Assumed: a new instance serves {REACTION_S:.0f} s after the target is exceeded (alarm "
            f"{REACTION_S - STARTUP_S:.0f} s, start-up {STARTUP_S:.0f} s), while the rate climbs from average to peak "
            f"in {workload.climb_minutes:g} minutes.",
        ]

    def json(self) -> dict[str, Any]:
        """The plan for scripts."""
        option = self.plan.option
        return {
            "environment": self.env.name,
            "instance_type": self.env.instance_type,
            "settings": asdict(self.plan.settings),
            "current": {field: now for field, now, _ in self.settings()},
            "planned_by_auto": self.env.planned,
            "served_without_a_zone": dict(zip(("average", "peak"), self.without_a_zone, strict=True)),
            "binds": option.binds,
            "bound_by": option.allowed.bound_by,
            "most_requests_per_second": option.most_rate,
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

    def print(self, verbose: bool) -> None:
        """The plan for people."""
        *known, assumed = self.notes()
        say("\n".join([self.answer(), "", *known, ""]))
        rows = []
        for field, now, planned in self.settings():
            cells = (field, f"{AUTO} ({now})" if field in self.env.planned else now or "(none)", planned or "(none)")
            rows.append([Text(cell, "bold" if now != planned else "") for cell in cells])
        say(Table("", ("setting", "now", "planned"), rows))
        say(self._expected())
        say(f"sim: each request simulated. {'; '.join(f'{s.name}: {SCENARIOS[s.name]}' for s in self.scenarios)}.\n")
        say_costs(("item", "number"), (*self.items.items, self.items.total), [self.items])
        if self.price is not None:
            tokens = (self.costs[f"usd_per_million_tokens_at_{when}"] for when in ("average", "peak"))
            say("USD per million generated tokens: {:.2f} at the average, {:.2f} at the peak.".format(*tokens))
        say("")
        if verbose:
            option, held = self.plan.option, self.plan.option.candidate.limits.max_batch_total_tokens
            say(
                f"What binds: {option.binds}, by {option.allowed.bound_by}. Full, requests reserve {option.memory:.0%} "
                f"of {held:,} tokens of cache.\n"
            )
            others = [(other.what, other.why) for other in self.plan.runners_up]
            say(Table("Runners-up", ("configuration", "why it is not chosen"), others))
        say(f"{assumed}\n\nFor the environment file:\n\n{self._yaml_lines()}")

    def _expected(self) -> Table:
        streaming = self.plan.workload.streaming
        names = [name for name in LATENCIES if streaming or "first_token" not in name]
        headings = ("", "requests/s", "instances", "in flight each", *names, "refused (429)", "over the limit", "flaps")
        columns = [headings]
        for label, at in (("average", self.plan.option.at_average), ("peak", self.plan.option.at_peak)):
            load = (f"{at.requests_per_second:g}", f"{at.instances}", f"{at.in_flight:.1f}")
            figures = (f"{at.latencies[name]:.3g}" for name in names)
            columns.append((label, *load, *figures, f"{at.refused:.2%}", f"{at.timed_out:.2%}", ""))
        for s in self.scenarios:
            m, figures = s.summary, (f"{s.latencies[name]:.3g}" for name in names)
            load = (f"{m.requests / s.duration_s:.3g}", f"{s.mean_instances:.2f}", "")
            lost = (f"{m.refused / m.requests:.2%}", f"{m.timed_out / m.requests:.2%}")
            columns.append((f"sim\n{s.name}", *load, *figures, *lost, f"{m.flaps}"))
        named, *rows = zip(*columns, strict=True)
        return Table("", named, rows, numbers=True)

    def _yaml_lines(self) -> str:
        """What to put into the environment file."""
        settings = self.plan.settings
        lines = ["tgi:", *(f"  {variable}: {getattr(settings, variable.lower())}" for variable in VARIABLES)]
        scaling = ["auto_scaling:", *(f"  {field}: {getattr(settings, field):g}" for field in self.scaling)]
        lines += ["auto_scaling: null"] if self.fixed else scaling
        return "\n".join([*lines, "instance:", f"  count: {settings.min_instances}"])
