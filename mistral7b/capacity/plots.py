"""Pictures: a benchmark against the model, simulations side by side, and a plan. Equal inputs give equal files.

A file's suffix (.png, .svg, .pdf, …) says its format. Each function raises OSError if the file cannot be written.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.fit import predict
from mistral7b.capacity.measurements import Figure, Metric, Row
from mistral7b.capacity.planner.plan import Plan
from mistral7b.capacity.planner.queue import fewest_instances
from mistral7b.capacity.planner.service import GRID, figures, quantile
from mistral7b.capacity.planner.sizing import MOST_INSTANCES, most_refused

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mistral7b.capacity.fleet.exact import Result
    from mistral7b.capacity.fleet.trace import Floats

_BENCHMARK_PANELS: dict[Metric, str] = {
    "p50_latency_ms_per_token": "p50 latency, ms per token",
    "throughput_tokens_per_s": "throughput, tokens per s",
}
_RATES = 200


@contextmanager
def _picture(file: Path, title: str, size: tuple[float, float], *grid: int, **options: Any) -> Iterator[Any]:
    """A figure with a grid of panels, which is written to `file` at the end."""
    from matplotlib import rc_context  # noqa: PLC0415 - takes a second to load
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415

    # Without a date and with fixed ids, the same content gives the same file.
    with rc_context({"svg.hashsalt": "mistral7b"}):
        picture = Picture(figsize=size, layout="constrained")
        panels = picture.subplots(*grid, **options)
        for panel in panels:
            panel.grid(alpha=0.3)
        yield panels
        picture.suptitle(title)
        picture.savefig(file, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)


def _legend(panel: "Axes") -> None:
    """Below the whole picture, what one of its panels shows."""
    handles, labels = panel.get_legend_handles_labels()
    panel.figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)


def _log_scale(panel: "Axes") -> None:
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415

    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())


def plot_benchmark(
    measured: Sequence[Figure],
    calibration: Calibration,
    limits: RouterLimits,
    file: Path,
    published: Sequence[Figure] = (),
) -> None:
    """Draws measured points on predicted curves; crosses for figures that were `published` of the same loads."""
    title = "Points: measured. Lines: model, as benchmarked. Dashed: sustained, all users in flight"
    title += ". Crosses: published" if published else ""
    with _picture(file, title, (11, 4.8), 1, 2) as panels:
        for panel, (metric, name) in zip(panels, _BENCHMARK_PANELS.items(), strict=True):
            groups: dict[tuple[int, int], list[Figure]] = {}
            for figure in (f for f in measured if f.metric == metric):
                groups.setdefault((figure.row.input_words, figure.row.output_tokens), []).append(figure)
            for index, ((words, tokens), own) in enumerate(groups.items()):
                color, measured_users = f"C{index}", [f.row.concurrent_users for f in own]
                panel.scatter(measured_users, [f.value for f in own], s=22, color=color, zorder=3)
                known = [f for f in published if f.metric == metric and f.row in {f.row for f in own}]
                panel.scatter(
                    [f.row.concurrent_users for f in known], [f.value for f in known], marker="x", color=color
                )
                users = range(1, min(limits.max_concurrent_requests, max(measured_users)) + 1)
                curve = [predict(Row(words, tokens, n), calibration, limits) for n in users]
                label = f"{words} words in, {tokens} tokens out"
                panel.plot(users, [point[metric] for point in curve], color=color, label=label)
                if metric == "throughput_tokens_per_s":
                    panel.plot(users, [point["sustained"] for point in curve], color=color, ls="--", lw=1)
            panel.set_xscale("log", base=2)
            panel.xaxis.set_major_formatter("{x:.0f}")
            _log_scale(panel)
            panel.set(title=name, xlabel="concurrent users")
        _legend(panels[0])


def plot_simulations(results: "Sequence[Result]", file: Path, title: str) -> None:
    """Draws load, instances and latency over time under each policy; all results are of the same trace."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    duration = float(results[0].timeline.times[-1])
    seconds, unit = next(
        (seconds, unit)
        for least, seconds, unit in ((6 * 3600, 3600, "hours"), (600, 60, "minutes"), (0, 1, "seconds"))
        if duration >= least
    )
    with _picture(file, title, (10, 11), 4, 1, sharex=True, height_ratios=(1, 1.2, 1.2, 1.5)) as panels:
        rate, load, instances, latency = panels
        rate.step(results[0].latency.times / seconds, results[0].latency.rate, where="mid", color="0.3", linewidth=1)
        for number, result in enumerate(results):
            color, line, over_time = f"C{number}", result.timeline, result.latency
            times, in_flight = (_thinned(values) for values in (line.times, line.in_flight))
            load.plot(times / seconds, in_flight, color=color, lw=1, label=result.summary.policy)
            for values, style, width in ((line.in_service, "-", 1.5), (line.capacity, "--", 0.8)):
                instances.step(line.times / seconds, values, where="post", color=color, ls=style, lw=width)
            for values, style, width in ((over_time.p50_s, "-", 1.5), (over_time.p95_s, "--", 1)):
                latency.plot(over_time.times / seconds, values, color=color, ls=style, lw=width)
        rate.set_ylabel("requests\nper second")
        load.set_ylabel("in flight")
        instances.set_ylabel("instances\n(dashed: starting, too)")
        instances.yaxis.set_major_locator(MaxNLocator(integer=True))
        latency.set(ylabel="latency, s\n(p50; dashed p95)", xlabel=unit)
        latency.axhline(60, color="0.6", linewidth=0.8)
        _log_scale(latency)
        for panel in panels:
            panel.margins(x=0)
            if panel is not latency:
                panel.set_ylim(bottom=0)
        _legend(load)


def _thinned(values: "Floats") -> "Floats":
    """Means over runs of points, so that a long trace remains a line."""
    run = max(1, values.size // 1000)
    means: Floats = values[: values.size - values.size % run].reshape(-1, run).mean(axis=1)
    return means


def plot_plan(plan: Plan, file: Path, title: str) -> None:
    """Draws latency by requests in flight with the objective, and instances by rate."""
    with _picture(file, title, (13, 4.8), 1, 3) as panels:
        per_token, seconds, instances = panels
        _draw_latency(plan, per_token, "ms_per_token", "ms per token")
        _draw_latency(plan, seconds, "seconds", "seconds")
        _draw_instances(plan, instances)
        for panel in panels:
            panel.set_ylim(bottom=0)
            panel.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)


def _draw_latency(plan: Plan, panel: "Axes", unit: str, label: str) -> None:
    """Median and 95% quantile of an instance that always has so many in flight; the objective as dashed lines."""
    shown = max(1, bisect_right(GRID, 2 * plan.option.limit))
    loads = [plan.option.service.load(place) for place in range(shown)]
    held = figures(plan.workload.objective)
    for number, (name, level) in enumerate((("p50", 0.5), ("p95", 0.95))):
        values = [quantile(getattr(load, unit), level) for load in loads]
        panel.plot(GRID[:shown], values, marker=".", color=f"C{number}", label=name)
        if (field := f"{name}_{unit}") in held:
            panel.axhline(held[field][2], color=f"C{number}", ls="--", lw=0.9, label=f"{name} asked for")
    panel.axvline(plan.option.limit, color="0.3", lw=0.9, label=f"limit {plan.option.limit}")
    target = plan.settings.target_concurrent_requests
    panel.axvline(target, color="0.3", ls=":", lw=1.2, label=f"target {target:g}")
    panel.set(xlabel="requests in flight on an instance", ylabel=label)


def _draw_instances(plan: Plan, panel: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415

    rate, refused, service = plan.workload.requests_per_second, most_refused(plan.workload), plan.option.service
    rates = [1.25 * rate.peak * (number + 1) / _RATES for number in range(_RATES)]
    counts = [fewest_instances(one, plan.option.limit, service.speed, refused, MOST_INSTANCES) for one in rates]
    known = [(one, count) for one, count in zip(rates, counts, strict=True) if count is not None]
    panel.step(*zip(*known, strict=True), where="pre", color="C2", label="needed")
    for value, label, style in ((rate.average, "average", ":"), (rate.peak, "peak", "-")):
        panel.axvline(value, color="0.3", ls=style, lw=0.9, label=f"{label} {value:g}")
    panel.set(xlabel="requests per second", ylabel="instances")
    panel.yaxis.set_major_locator(MaxNLocator(integer=True))
