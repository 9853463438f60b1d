"""A plan as `mistral7b plan` shows it."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from mistral7b.environment import Environment
from mistral7b_cli.output import out, table

if TYPE_CHECKING:
    from mistral7b.capacity.planner import Expectation, Plan
    from mistral7b.capacity.planner.check import Scenario

_VARIABLES = ("MAX_CONCURRENT_REQUESTS", "MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS", "MAX_BATCH_PREFILL_TOKENS")
_SCALING = ("target_concurrent_requests", "min_instances", "max_instances")


class Report:
    """A plan with its price, as text and as JSON."""

    def __init__(self, env: Environment, found: "Plan", scenarios: "list[Scenario]", price: float | None) -> None:
        from mistral7b.capacity.fleet.prices import PRICES_AS_OF, usd_per_hour  # noqa: PLC0415
        from mistral7b.capacity.memory import fitted_instance_types  # noqa: PLC0415

        self.env, self.plan, self.scenarios = env, found, scenarios
        self.covered = fitted_instance_types()
        self.type = env.instance_type if env.instance_type in self.covered else self.covered[0]
        self.price = usd_per_hour(self.type) if price is None else price
        self.price_source = "--price" if price is not None else PRICES_AS_OF if self.price is not None else "none"
        self.costs = self._costs()

    def _costs(self) -> dict[str, float | None]:
        """USD an hour and a million generated tokens, at the average rate and at the peak."""
        average, peak = self.plan.tokens_per_second
        instances = self.average_instances
        at_peak = self.plan.settings.max_instances
        return {
            "usd_per_hour_at_average": _times(self.price, instances),
            "usd_per_hour_at_peak": _times(self.price, at_peak),
            "usd_per_million_tokens_at_average": _times(self.price, instances / (average * 0.0036)),
            "usd_per_million_tokens_at_peak": _times(self.price, at_peak / (peak * 0.0036)),
        }

    @property
    def average_instances(self) -> float:
        """Instances at the average rate: with those that scaling adds by chance where that is simulated."""
        from mistral7b.capacity.planner.check import AVERAGE  # noqa: PLC0415

        simulated = [s.mean_instances for s in self.scenarios if s.name == AVERAGE]
        return simulated[0] if simulated else float(self.plan.settings.min_instances)

    def settings(self) -> list[tuple[str, str | None, str]]:
        """Each setting with its present and its planned value."""
        current, scaling = self.env.launcher_settings(), self.env.auto_scaling
        rows: list[tuple[str, str | None, str]] = []
        for variable in _VARIABLES:
            now = str(getattr(current, variable.lower()))
            rows.append((f"tgi.{variable}", now, str(getattr(self.plan.settings, variable.lower()))))
        for field in _SCALING:
            before = None if scaling is None else f"{getattr(scaling, field):g}"
            rows.append((f"auto_scaling.{field}", before, f"{getattr(self.plan.settings, field):g}"))
        return rows

    def notes(self) -> list[str]:
        """What the figures rest on, and what to know of the present settings."""
        from mistral7b.capacity.admission import why_never_admitted  # noqa: PLC0415
        from mistral7b.capacity.planner.sizing import REACTION_S, STARTUP_S  # noqa: PLC0415
        from mistral7b.catalog import instance_types  # noqa: PLC0415

        blocked = why_never_admitted(self.env.launcher_settings())
        others = [kind.name for kind in instance_types() if kind.name not in self.covered]
        found = [f"The present settings: {blocked}."] if blocked else []
        if self.type != self.env.instance_type:
            found.append(f"The plan is for {self.type}: the model does not cover {self.env.instance_type}.")
        found += [
            f"Assumed: a new instance serves {REACTION_S:.0f} s after the target is exceeded (alarm "
            f"{REACTION_S - STARTUP_S:.0f} s, start-up {STARTUP_S:.0f} s), while the rate climbs from average to peak "
            f"in {self.plan.workload.climb_minutes:g} minutes.",
            f"{', '.join(kind for kind in self.covered if kind != self.type)} have the same GPU and more host: by the "
            f"model no faster. Not covered: {', '.join(others)}.",
        ]
        return found

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
            "runners_up": [asdict(other) for other in self.plan.runners_up],
            "notes": self.notes(),
        }

    def print(self) -> None:
        """The plan for people."""
        settings = table(f"{self.env.name} on {self.type}", "setting", "now", "planned")
        for field, now, planned in self.settings():
            settings.add_row(field, now or "(none)", planned, style="bold" if now != planned else "")
        out.print(settings)
        out.print(f"What binds: {_binding(self.plan)}", soft_wrap=True)
        out.print(self._expected())
        out.print(self._cost_line(), soft_wrap=True, markup=False)
        others = table("Runners-up", "configuration", "why it loses")
        for other in self.plan.runners_up:
            others.add_row(other.what, other.why)
        out.print(others)
        for note in self.notes():
            out.print(note, soft_wrap=True, markup=False)
        out.print("\nFor the environment file:\n", markup=False)
        out.print(yaml_lines(self.plan), markup=False, soft_wrap=True)

    def _expected(self) -> Any:
        option = self.plan.option
        rows = table(
            "Expected", "", "requests/s", "instances", "in flight each", "p50 ms/token", "p95 ms/token", "p50 s",
            "p95 s", "refused (429)", "over 60 s",
        )  # fmt: skip
        for column in rows.columns[1:]:
            column.justify = "right"
        for label, at in (("average", option.at_average), ("peak", option.at_peak)):
            rows.add_row(label, f"{at.requests_per_second:g}", str(at.instances), *_cells(at))
        for s in self.scenarios:
            m = s.summary
            latencies = [f"{value:.1f}" for value in m.per_token_ms[:2]] + [f"{value:.2f}" for value in m.latency_s[:2]]
            lost = [_percent(m.refused / m.requests), _percent(m.timed_out / m.requests)]
            load = [f"{m.requests / s.duration_s:.3g}", f"{s.mean_instances:.2f}", ""]
            rows.add_row(f"simulated: {s.name}", *load, *latencies, *lost)
        return rows

    def _cost_line(self) -> str:
        if self.price is None:
            return f"No price of {self.type} is built in: give --price."
        cost = self.costs
        return (
            f"Cost: {cost['usd_per_hour_at_average']:.2f} USD an hour at the average ({self.average_instances:.2f} "
            f"instances), {cost['usd_per_hour_at_peak']:.2f} at the peak; per million generated tokens "
            f"{cost['usd_per_million_tokens_at_average']:.2f} and {cost['usd_per_million_tokens_at_peak']:.2f}. "
            f"Price: {self.price:g} USD an instance-hour ({self.price_source})."
        )


def yaml_lines(found: "Plan") -> str:
    """What to put into the environment file."""
    settings = found.settings
    lines = ["tgi:", *(f"  {variable}: {getattr(settings, variable.lower())}" for variable in _VARIABLES)]
    lines += ["auto_scaling:", *(f"  {field}: {getattr(settings, field):g}" for field in _SCALING)]
    return "\n".join([*lines, "instance:", f"  count: {settings.min_instances}"])


def _binding(found: "Plan") -> str:
    from mistral7b.capacity.planner.service import SATURATION  # noqa: PLC0415

    option = found.option
    loads = option.service.weights(option.limit)
    prefilling = sum(load.prefilling * share for load, share in loads)
    queued = sum(load.queued * share for load, share in loads)
    bound_by = option.allowed.bound_by
    more = "more would wait in the queue alone" if bound_by == SATURATION else f"one more breaks {bound_by}"
    return (
        f"{option.binds}. {option.limit} requests in flight an instance: {more}. Full, prefills take "
        f"{100 * prefilling:.0f}% of its time, requests wait "
        f"{100 * queued:.0f}% of theirs in the queue, and reserve {100 * option.memory:.0f}% of "
        f"{option.candidate.limits.max_batch_total_tokens:,} tokens of KV cache."
    )


def _cells(at: "Expectation") -> list[str]:
    return [
        f"{at.in_flight:.1f}",
        f"{at.p50_ms_per_token:.1f}",
        f"{at.p95_ms_per_token:.1f}",
        f"{at.p50_seconds:.2f}",
        f"{at.p95_seconds:.2f}",
        _percent(at.refused),
        _percent(at.timed_out),
    ]


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"


def _times(price: float | None, amount: float) -> float | None:
    return None if price is None else price * amount
