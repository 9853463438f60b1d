"""A picture of a plan: what an instance's load does to latency, and how many instances a rate takes."""

from pathlib import Path
from typing import TYPE_CHECKING

from mistral7b.capacity.planner.plan import Plan
from mistral7b.capacity.planner.queue import fewest_instances
from mistral7b.capacity.planner.service import GRID, figures, quantile
from mistral7b.capacity.planner.sizing import MOST_INSTANCES, most_refused

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 200


def plot(plan: Plan, file: Path, title: str) -> None:
    """Draws latency by requests in flight with the objective, and instances by rate.

    Args:
        plan: what to draw.
        file: where to; its suffix says the format.
        title: above the picture.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl  # noqa: PLC0415 - takes a second to load

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    # Without a date and with fixed ids, the same plan gives the same file.
    mpl.rcParams["svg.hashsalt"] = "mistral7b"
    figure, panels = plt.subplots(1, 3, figsize=(13, 4.8))
    per_token, seconds, instances = panels
    _latency(plan, per_token, "ms_per_token", "ms per token")
    _latency(plan, seconds, "seconds", "seconds")
    _instances(plan, instances)
    for panel in panels:
        panel.grid(alpha=0.3)
        panel.set_ylim(bottom=0)
        panel.legend(frameon=False, fontsize="small", loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=3)
    figure.suptitle(title)
    figure.tight_layout()
    try:
        figure.savefig(file, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)
    finally:
        plt.close(figure)


def _latency(plan: Plan, panel: "Axes", unit: str, label: str) -> None:
    """Median and 95% quantile of an instance that always has so many in flight; the objective as dashed lines."""
    shown = [place for place, most in enumerate(GRID) if most <= 2 * plan.option.limit] or [0]
    loads = [plan.option.service.load(place) for place in shown]
    held = figures(plan.workload.objective)
    for number, (name, level) in enumerate((("p50", 0.5), ("p95", 0.95))):
        values = [quantile(getattr(load, unit), level) for load in loads]
        panel.plot([load.in_flight for load in loads], values, marker=".", color=f"C{number}", label=name)
        field = f"{name}_{unit}"
        if field in held:
            panel.axhline(held[field][1], color=f"C{number}", linestyle="--", linewidth=0.9, label=f"{name} asked for")
    panel.axvline(plan.option.limit, color="0.3", linewidth=0.9, label=f"limit {plan.option.limit}")
    target = plan.settings.target_concurrent_requests
    panel.axvline(target, color="0.3", linestyle=":", linewidth=1.2, label=f"target {target:g}")
    panel.set_xlabel("requests in flight on an instance")
    panel.set_ylabel(label)


def _instances(plan: Plan, panel: "Axes") -> None:
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - as above

    rate, refused, service = plan.workload.requests_per_second, most_refused(plan.workload), plan.option.service
    rates = [1.25 * rate.peak * (number + 1) / _POINTS for number in range(_POINTS)]
    counts = [fewest_instances(one, plan.option.limit, service.speed, refused, MOST_INSTANCES) for one in rates]
    known = [(one, count) for one, count in zip(rates, counts, strict=True) if count is not None]
    panel.step([one for one, _ in known], [count for _, count in known], where="pre", color="C2", label="needed")
    for value, label, style in ((rate.average, "average", ":"), (rate.peak, "peak", "-")):
        panel.axvline(value, color="0.3", linestyle=style, linewidth=0.9, label=f"{label} {value:g}")
    panel.set_xlabel("requests per second")
    panel.set_ylabel("instances")
    panel.yaxis.set_major_locator(MaxNLocator(integer=True))
