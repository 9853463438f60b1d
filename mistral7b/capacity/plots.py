"""Pictures: a benchmark against the model, simulations side by side, and a plan. Equal inputs give equal files.

One style for all: colours that colour-blind readers tell apart, a line's name at its end, its dashes as its colour.

A file's suffix (.png, .svg, .pdf, …) says its format. Each function raises OSError if the file cannot be written.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import log2
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.fit import predict, sustained
from mistral7b.capacity.measurements import Figure, Metric, Row
from mistral7b.capacity.planner.plan import Plan
from mistral7b.capacity.planner.queue import fewest_instances
from mistral7b.capacity.planner.service import GRID, figures, quantile
from mistral7b.capacity.planner.sizing import MOST_INSTANCES, most_refused
from mistral7b.workload import ANSWER_LIMIT_S

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mistral7b.capacity.fleet.exact import Result
    from mistral7b.capacity.fleet.trace import Floats

_BENCHMARK_PANELS: dict[Metric, str] = {
    "p50_latency_ms_per_token": "p50 latency, ms per token",
    "throughput_tokens_per_s": "throughput, tokens per s",
}
# Of simulations: the panels' names and relative heights.
_OVER_TIME = {
    "requests\nper second": 0.7, "in flight": 1.1, "instances\n(shaded: starting)": 1.2,
    "latency, s\n(p50; thin: p95)": 1.4, "refused or\ntimed out, %": 0.9,
}  # fmt: skip
_RATES = 200
# Okabe and Ito, "Color Universal Design" (2008): told apart whatever colours one sees; and each has its dashes.
_COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (2, 1)), (0, (6, 1, 1, 1)), (0, (1, 1)), (0, (9, 3)), "-.")
# With fixed ids and no date, the same content gives the same file.
_STYLE: dict[Any, Any] = {"svg.hashsalt": "mistral7b", "axes.spines.top": False, "axes.spines.right": False}
_STYLE |= {"axes.grid": True, "grid.alpha": 0.3, "font.size": 11, "figure.titlesize": 12}
_End = tuple[float, float, str, str]  # of a line: x and y of its end, its name, its colour


@contextmanager
def _picture(file: Path, title: str, size: tuple[float, float], *grid: int, **options: Any) -> Iterator[Any]:
    """A figure with a grid of panels, which is written to `file` at the end."""
    from matplotlib import rc_context  # noqa: PLC0415 - takes a second to load
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415

    with rc_context(_STYLE):
        picture = Picture(figsize=size, layout="constrained")
        yield picture.subplots(*grid, **options)
        picture.suptitle(title)
        picture.savefig(file, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)


def _line(number: int, width: float = 1.6) -> dict[str, Any]:
    """How the line of that number is drawn in every panel."""
    return {"color": _COLORS[number % 7], "ls": _DASHES[number % 7], "lw": width}


def _name_ends(panel: "Axes", ends: Sequence["_End"], gap: float = 0.075) -> None:
    """Writes names to the right of lines, none over another."""
    panel.autoscale_view()  # brings the scales up to date
    points = panel.transData.transform([end[:2] for end in ends] or [(1.0, 1.0)])
    places = panel.transAxes.inverted().transform(points).tolist()
    at, most = -gap, 1 + gap - gap * len(ends)
    for (_, height), (x, y, name, color) in sorted(zip(places, ends, strict=False), key=lambda one: one[0][1]):
        at, most = max(at + gap, min(height, most)), most + gap
        arrow = {"arrowstyle": "-", "color": color, "lw": 0.5, "shrinkA": 0, "shrinkB": 0}
        where: dict[str, Any] = {"xytext": (1.03, at), "textcoords": "axes fraction", "va": "center", "color": color}
        panel.annotate(name, (x, y), fontsize="small", arrowprops=arrow, annotation_clip=False, **where)


def _marks(panel: "Axes", at: dict[str, float]) -> None:
    """Upright lines with their names."""
    for name, x in at.items():
        panel.axvline(x, color="0.3", ls=":", lw=1.2)
        panel.annotate(name, (x, 1.01), xycoords=("data", "axes fraction"), rotation=30, fontsize="small")


def _log_scale(panel: "Axes") -> None:
    """A logarithmic axis with enough ticks to read a value: more where it spans little."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415

    panel.set_yscale("log")
    low, high = panel.get_ylim()
    steps = (1, 1.5, 2, 3, 4, 6, 8) if high < 50 * low else (1, 2, 5)
    panel.yaxis.set_major_locator(LogLocator(subs=steps))
    panel.yaxis.set_major_formatter("{x:g}")
    panel.yaxis.set_minor_formatter(NullFormatter())


def plot_benchmark(
    measured: Sequence[Figure],
    calibration: Calibration,
    limits: RouterLimits,
    file: Path,
    published: Sequence[Figure] = (),
) -> None:
    """Draws measured points on predicted curves; crosses for what was `published` of the same loads."""
    title = "Points: measured. Lines: model, as benchmarked. Thin: sustained, all users in flight"
    with _picture(file, title + ". Crosses: published" * bool(published), (12, 5), 1, 2) as panels:
        for panel, (metric, name) in zip(panels, _BENCHMARK_PANELS.items(), strict=True):
            groups: dict[tuple[int, int], list[Figure]] = {}
            for figure in (f for f in measured if f.metric == metric):
                groups.setdefault((figure.row.input_words, figure.row.output_tokens), []).append(figure)
            ends = []
            for index, ((words, tokens), own) in enumerate(groups.items()):
                style, measured_users = _line(index), [f.row.concurrent_users for f in own]
                panel.plot(measured_users, [f.value for f in own], "os^Dv*P"[index % 7], color=style["color"])
                for known in (f for f in published if f.metric == metric and f.row in {one.row for one in own}):
                    panel.plot(known.row.concurrent_users, known.value, "x", color=style["color"])
                most = min(limits.max_concurrent_requests, max(measured_users))
                users = sorted({most, *(round(2 ** (place / 4)) for place in range(int(4 * log2(most)) + 1))})
                curve = [predict(Row(words, tokens, n), calibration, limits) for n in users]
                panel.plot(users, [point[metric] for point in curve], **style)
                if metric == "throughput_tokens_per_s":
                    rates = [sustained(Row(words, tokens, n), calibration, limits) for n in measured_users]
                    panel.plot(measured_users, rates, **_line(index, 0.7))
                ends.append((users[-1], curve[-1][metric], f"{words} words in,\n{tokens} tokens out", style["color"]))
            panel.set_xscale("log", base=2)
            panel.xaxis.set_major_formatter("{x:.0f}")
            _log_scale(panel)
            panel.set(ylabel=name, xlabel="concurrent users")
            _name_ends(panel, ends, 0.13)


def plot_simulations(
    results: "Sequence[Result]", file: Path, title: str, price: float | None = None, limit: float = ANSWER_LIMIT_S
) -> None:
    """Draws load, instances, latency and what is lost over time under each policy; all results are of one trace.

    `price` is USD an instance-hour; SageMaker waits for `limit` seconds.
    """
    duration = float(results[0].timeline.times[-1])
    seconds, unit = (1, "seconds") if duration < 600 else (60, "minutes") if duration < 21_600 else (3600, "hours")
    with _picture(file, title, (10, 12), 5, 1, sharex=True, height_ratios=[*_OVER_TIME.values()]) as panels:
        rate, load, instances, latency, lost = panels
        ends: dict[Axes, list[_End]] = defaultdict(list)
        rate.step(results[0].latency.times / seconds, results[0].latency.rate, where="mid", color="0.3", linewidth=1)
        for number, result in enumerate(results):
            style, line, over_time, s = _line(number), result.timeline, result.latency, result.summary
            times, in_flight, low, high = map(_thinned, (line.times, line.in_flight, line.in_service, line.capacity))
            used = f"{s.instance_hours:,.1f} h" if price is None else f"{s.instance_hours * price:,.2f} USD"
            failed = f"{(s.refused + s.timed_out) / s.requests:.2%}"
            for panel, x, values, name in (
                (load, times, in_flight, s.policy.replace(",", "\n", 1)),
                (instances, times, high, used),
                (lost, over_time.times, 100 * over_time.lost, failed),
                (latency, over_time.times, over_time.p50_s, ""),
            ):
                panel.plot(x / seconds, values, **style)
                ends[panel] += [(x[-1] / seconds, values[-1], name, style["color"])] if name else []
            instances.fill_between(times / seconds, low, high, color=style["color"], alpha=0.25, lw=0)
            latency.plot(over_time.times / seconds, over_time.p95_s, **_line(number, 0.9))
        latency.axhline(limit, color="0.4", linewidth=0.8)
        ends[latency] = [(duration / seconds, limit, f"{limit:g} s limit", "0.4")]
        for panel, label in zip(panels, _OVER_TIME, strict=True):
            panel.set_ylabel(label)
            panel.margins(x=0)
            if panel is latency:
                _log_scale(panel)
            else:
                panel.set_ylim(0, max(panel.get_ylim()[1], panel is lost))  # no less than 1%
            _name_ends(panel, ends[panel], 0.15)
        instances.locator_params("y", integer=True)
        lost.set_xlabel(unit)


def _thinned(values: "Floats") -> "Floats":
    """Means over runs of points, so that a long trace remains a line."""
    run = max(1, values.size // 300)
    means: Floats = values[: values.size - values.size % run].reshape(-1, run).mean(axis=1)
    return means


def plot_plan(plan: Plan, file: Path, title: str) -> None:
    """Draws latency by requests in flight with the objective, and instances by rate."""
    alone = plan.settings.max_instances == 1
    with _picture(file, title, (11 - 3.5 * alone, 5), 1, 3 - alone) as panels:
        _draw_latency(plan, panels[0], "ms_per_token", "ms per token")
        _draw_latency(plan, panels[1], "seconds", "seconds")
        if not alone:
            _draw_instances(plan, panels[2])


def _draw_latency(plan: Plan, panel: "Axes", unit: str, label: str) -> None:
    """Median and 95% quantile of an instance that always has so many in flight; the objective as thin lines."""
    option, ends = plan.option, list[_End]()
    shown = max(1, bisect_right(GRID, 2 * option.limit))
    loads = [option.service.load(place) for place in range(shown)]
    held = figures(plan.workload.objective, option.service.answer_limit_s)
    for number, (name, level) in enumerate((("p50", 0.5), ("p95", 0.95))):
        values, style = [quantile(getattr(load, unit), level) for load in loads], _line(number)
        panel.plot(GRID[:shown], values, **style)
        ends.append((GRID[shown - 1], values[-1], name, style["color"]))
        if (field := f"{name}_{unit}") in held:
            asked = held[field][2]
            panel.axhline(asked, **_line(number, 0.8))
            ends.append((GRID[shown - 1], asked, f"{name} asked", style["color"]))
            if option.allowed.bound_by == field:
                panel.plot(option.limit, asked, "o", color=style["color"])
                panel.annotate("binds", (option.limit, asked), xytext=(-4, 5), textcoords="offset points", ha="right")
    target = plan.settings.target_concurrent_requests
    _marks(panel, {f"limit {option.limit}": option.limit, f"target {target:g}": target})
    panel.set(xlabel="in flight on an instance", ylabel=label, ylim=(0, None))
    _name_ends(panel, ends)


def _draw_instances(plan: Plan, panel: "Axes") -> None:
    rate, refused, service = plan.workload.requests_per_second, most_refused(plan.workload), plan.option.service
    rates = [1.25 * rate.peak * (number + 1) / _RATES for number in range(_RATES)]
    counts = [fewest_instances(one, plan.option.limit, service.speed, refused, MOST_INSTANCES) for one in rates]
    known = [(one, count) for one, count in zip(rates, counts, strict=True) if count is not None]
    panel.step(*zip(*known, strict=True), where="pre", **_line(2))
    low, high = plan.settings.min_instances, plan.settings.max_instances
    panel.axhspan(low, high, color=_COLORS[5], alpha=0.25)
    planned = f"planned: {low} to {high}, for\nclimb and headroom, too"
    panel.annotate(planned, (0.03, 0.97), xycoords="axes fraction", va="top", fontsize="small")
    _marks(panel, {f"average {rate.average:g}": rate.average, f"peak {rate.peak:g}": rate.peak})
    panel.set(xlabel="requests per second", ylabel="instances needed", ylim=(0, max(high, known[-1][1]) + 1))
    panel.locator_params("y", integer=True)
