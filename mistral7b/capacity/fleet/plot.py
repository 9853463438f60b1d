"""A picture of simulations side by side: load, instances and latency over time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mistral7b.capacity.fleet.chunks import Floats
from mistral7b.capacity.fleet.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg", ".pdf")


def plot(results: Sequence[Result], file: Path, title: str) -> None:
    """Draws what happened under each policy.

    Args:
        results: One of each policy, all of the same trace.
        file: Where to; its suffix, one of SUFFIXES, says the format.
        title: Above the picture.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl  # noqa: PLC0415 - takes a second to load

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415
    from matplotlib.ticker import FormatStrFormatter, LogLocator, MaxNLocator, NullFormatter  # noqa: PLC0415

    # Without a date and with fixed ids, the same results give the same file.
    mpl.rcParams["svg.hashsalt"] = "mistral7b"
    figure, panels = plt.subplots(4, 1, sharex=True, figsize=(10, 11), height_ratios=(1, 1.2, 1.2, 1.5))
    unit_s, unit = _unit(float(results[0].timeline.times[-1]))
    rate, load, instances, latency = panels
    rate.step(results[0].latency.times / unit_s, results[0].latency.rate, where="mid", color="0.3", linewidth=1)
    for number, result in enumerate(results):
        _draw(result, f"C{number}", unit_s, (load, instances, latency))
    for panel, label in (
        (rate, "requests\nper second"),
        (load, "in flight"),
        (instances, "instances\n(dashed: starting, too)"),
    ):
        _finish(panel, label)
        panel.set_ylim(bottom=0)
    _finish(latency, "latency, s\n(p50; dashed p95)")
    instances.yaxis.set_major_locator(MaxNLocator(integer=True))
    latency.set_yscale("log")
    latency.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    latency.yaxis.set_major_formatter(FormatStrFormatter("%g"))
    latency.yaxis.set_minor_formatter(NullFormatter())
    latency.axhline(60, color="0.6", linewidth=0.8)
    latency.set_xlabel(unit)
    handles, labels = load.get_legend_handles_labels()
    figure.suptitle(title)
    figure.tight_layout(rect=(0, 0.02 + 0.02 * len(labels), 1, 1))
    figure.legend(handles, labels, loc="lower left", frameon=False)
    try:
        figure.savefig(file, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)
    finally:
        plt.close(figure)


def _draw(result: Result, color: str, unit_s: float, panels: "tuple[Axes, Axes, Axes]") -> None:
    load, instances, latency = panels
    timeline, over_time = result.timeline, result.latency
    times, in_flight = _thinned(timeline.times, timeline.in_flight)
    load.plot(times / unit_s, in_flight, color=color, linewidth=1, label=result.summary.policy)
    instances.step(timeline.times / unit_s, timeline.in_service, where="post", color=color, linewidth=1.5)
    instances.step(timeline.times / unit_s, timeline.capacity, where="post", color=color, linestyle="--", linewidth=0.8)
    latency.plot(over_time.times / unit_s, over_time.p50_s, color=color, linewidth=1.5)
    latency.plot(over_time.times / unit_s, over_time.p95_s, color=color, linestyle="--", linewidth=1)


def _thinned(times: Floats, values: Floats, most: int = 1000) -> tuple[Floats, Floats]:
    """Means over runs of points, so that a long trace remains a line."""
    run = max(1, times.size // most)
    whole = times.size - times.size % run
    return times[:whole].reshape(-1, run).mean(axis=1), values[:whole].reshape(-1, run).mean(axis=1)


def _finish(panel: "Axes", label: str) -> None:
    panel.set_ylabel(label)
    panel.grid(alpha=0.3)
    panel.margins(x=0)


def _unit(duration_s: float) -> tuple[float, str]:
    """Seconds of the time axis's unit, and its name."""
    if duration_s >= 6 * 3600:
        return 3600.0, "hours"
    return (60.0, "minutes") if duration_s >= 600 else (1.0, "seconds")
