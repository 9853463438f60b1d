"""A picture of an execution: stages from left to right, their actions below each other, how each ended and how long."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mistral7b_cli.rehearsal.execution import FAILED, IN_PROGRESS, NOT_STARTED, SUCCEEDED, Action, Execution, Stage
from mistral7b_cli.rehearsal.view import sign

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SUFFIXES = (".png", ".svg", ".pdf")

# Edge and face of each status. The sign and the word say it, too, for readers who see no red and green.
_COLOURS = {
    SUCCEEDED: ("#1b7f4b", "#e5f4ec"),
    FAILED: ("#b3261e", "#fbe4e2"),
    IN_PROGRESS: ("#9a6b00", "#fff4d6"),
    NOT_STARTED: ("#70757a", "#f6f7f8"),
}
_OTHER = ("#5f6368", "#eceef0")
_WORDS = {NOT_STARTED: "not started", IN_PROGRESS: "in progress"}

# In units of the axes, which are inches: a box, and the gaps between boxes and stages.
_WIDTH, _HEIGHT, _GAP, _BETWEEN, _HEAD, _MARGIN = 2.05, 0.5, 0.12, 0.5, 0.62, 0.25


def draw(execution: Execution, file: Path, title: str, note: str = "") -> None:
    """Draws an execution.

    Args:
        execution: what to draw.
        file: where to; its suffix, one of SUFFIXES, says the format.
        title: above the picture.
        note: below the title, such as what stopped it.

    Raises:
        OSError: the file cannot be written.
    """
    import matplotlib as mpl  # noqa: PLC0415 - takes a second to load

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415

    # Without a date and with fixed ids, the same execution gives the same file.
    mpl.rcParams["svg.hashsalt"] = "mistral7b"
    columns, rows = len(execution.stages), max(len(stage.actions) for stage in execution.stages)
    width = 2 * _MARGIN + columns * _WIDTH + (columns - 1) * _BETWEEN
    top = _MARGIN + (0.75 if note else 0.45)
    height = top + _HEAD + rows * (_HEIGHT + _GAP) + _MARGIN
    figure = plt.figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()
    axes.text(_MARGIN, _MARGIN, title, fontsize=12, va="center", weight="bold", parse_math=False)
    colour = _COLOURS.get(execution.status, _OTHER)[0]
    axes.text(_MARGIN, _MARGIN + 0.3, note, fontsize=9.5, va="center", color=colour, parse_math=False)
    for number, stage in enumerate(execution.stages):
        left = _MARGIN + number * (_WIDTH + _BETWEEN)
        _stage(axes, stage, left, top)
        if number:
            _arrow(axes, left, top + _HEAD / 2)
    try:
        figure.savefig(file, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)
    finally:
        plt.close(figure)


def _stage(axes: "Axes", stage: Stage, left: float, top: float) -> None:
    edge, _ = _COLOURS.get(stage.status, _OTHER)
    said = f"{_word(stage.status)}{_duration(stage.seconds(datetime.now(UTC)))}"
    axes.text(left, top + 0.16, stage.name, fontsize=11, weight="bold", va="center", parse_math=False)
    axes.text(left, top + 0.4, f"{sign(stage.status)[0]} {said}", fontsize=8.5, color=edge, va="center")
    for number, action in enumerate(stage.actions):
        _box(axes, action, left, top + _HEAD + number * (_HEIGHT + _GAP))


def _box(axes: "Axes", action: Action, left: float, top: float) -> None:
    from matplotlib.patches import FancyBboxPatch  # noqa: PLC0415 - as above

    edge, face = _COLOURS.get(action.status, _OTHER)
    dashed = "--" if action.status == NOT_STARTED else "-"
    style = "round,pad=0,rounding_size=0.06"
    box = FancyBboxPatch(
        (left, top), _WIDTH, _HEIGHT, boxstyle=style, facecolor=face, edgecolor=edge, linestyle=dashed, linewidth=1
    )
    axes.add_patch(box)
    axes.text(left + 0.12, top + _HEIGHT / 2, sign(action.status)[0], fontsize=12, color=edge, va="center")
    axes.text(left + 0.38, top + 0.17, action.label, fontsize=9.5, va="center", parse_math=False)
    said = f"{_word(action.status)}{_duration(action.seconds(datetime.now(UTC)))}"
    axes.text(left + 0.38, top + 0.36, said, fontsize=7.5, color=edge, va="center")


def _arrow(axes: "Axes", left: float, middle: float) -> None:
    axes.annotate(
        "",
        xy=(left - 0.1, middle),
        xytext=(left - _BETWEEN + 0.02, middle),
        arrowprops={"arrowstyle": "-|>", "color": "0.45", "linewidth": 1.2},
    )


def _word(status: str) -> str:
    return _WORDS.get(status, status.lower())


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f", {minutes} min {rest:02d} s" if minutes else f", {seconds:.1f} s"
