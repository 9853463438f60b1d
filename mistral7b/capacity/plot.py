"""The comparison as a picture: measured points on predicted curves."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.fit import predict
from mistral7b.capacity.measurements import Figure, Metric, Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_PANELS: tuple[tuple[Metric, str], ...] = (
    ("p50_latency_ms_per_token", "p50 latency, ms per token"),
    ("throughput_tokens_per_s", "throughput, tokens per s"),
)
_COLOURS = ("#0b5394", "#b45f06", "#38761d", "#741b47", "#134f5c", "#7f6000")


def plot(figures: Sequence[Figure], calibration: Calibration, limits: RouterLimits, path: Path) -> None:
    """Writes the picture to `path`, in the format of its ending, such as .svg. Raises OSError."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - loads slowly
    from matplotlib.figure import Figure as Picture  # noqa: PLC0415

    picture = Picture(figsize=(11, 4.8), layout="constrained")
    FigureCanvasAgg(picture)
    axes = picture.subplots(1, 2)
    for panel, (metric, title) in zip(axes, _PANELS, strict=True):
        own = [figure for figure in figures if figure.metric == metric]
        _draw(panel, own, calibration, limits)
        panel.set(title=title, xlabel="concurrent users")
    handles, labels = axes[0].get_legend_handles_labels()
    picture.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    picture.suptitle("Points: measured. Lines: model, as benchmarked. Dashed: sustained, all users in flight")
    picture.savefig(path, dpi=150)


def _draw(panel: "Axes", figures: Sequence[Figure], calibration: Calibration, limits: RouterLimits) -> None:
    """Draws the figures of one metric."""
    from matplotlib.ticker import LogLocator, NullFormatter  # noqa: PLC0415

    shapes = dict.fromkeys((figure.row.input_words, figure.row.output_tokens) for figure in figures)
    for index, (words, tokens) in enumerate(shapes):
        colour = _COLOURS[index % len(_COLOURS)]
        own = [f for f in figures if (f.row.input_words, f.row.output_tokens) == (words, tokens)]
        measured_users = [f.row.concurrent_users for f in own]
        panel.scatter(measured_users, [f.value for f in own], s=22, color=colour, zorder=3)
        users = range(1, max(measured_users) + 1)
        curve = [predict(Row(words, tokens, n), calibration, limits) for n in users]
        label = f"{words} words in, {tokens} tokens out"
        panel.plot(users, [point.figures[own[0].metric] for point in curve], color=colour, label=label)
        if own[0].metric == "throughput_tokens_per_s":
            panel.plot(users, [point.steady.tokens_per_second for point in curve], color=colour, ls="--", lw=1)
    panel.set_xscale("log", base=2)
    panel.set_yscale("log")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_minor_formatter(NullFormatter())
    panel.xaxis.set_major_formatter("{x:.0f}")
    panel.yaxis.set_major_formatter("{x:.0f}")
    panel.grid(visible=True, which="major", color="#dddddd", linewidth=0.6)
