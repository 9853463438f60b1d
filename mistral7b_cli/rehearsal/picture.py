"""A picture of an execution: stages from left to right, their actions below each other, how each ended and how long."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from mistral7b_cli.rehearsal.execution import FAILED, IN_PROGRESS, NOT_STARTED, OTHER_SIGN, SIGNS, SUCCEEDED, Execution

# Edge and face of each status, and its word. The sign says it, too, for readers who see no red and green.
_LOOKS = {
    SUCCEEDED: ("#1b7f4b", "#e5f4ec", "succeeded"),
    FAILED: ("#b3261e", "#fbe4e2", "failed"),
    IN_PROGRESS: ("#9a6b00", "#fff4d6", "in progress"),
    NOT_STARTED: ("#70757a", "#f6f7f8", "not started"),
}

# In units of the axes, which are inches: a box, and the gaps between boxes and stages.
_WIDTH, _HEIGHT, _GAP, _BETWEEN, _HEAD, _MARGIN = 2.05, 0.5, 0.12, 0.5, 0.62, 0.25


def draw(execution: Execution, file: Path, title: str, note: str = "") -> None:
    """Draws an execution into a file, whose suffix, such as .svg, says the format. The same one gives the same file.

    The title is above the picture; the note, such as what stopped it, below the title. Raises OSError.
    """
    columns, rows = len(execution.stages), max(len(stage.actions) for stage in execution.stages)
    width = 2 * _MARGIN + columns * _WIDTH + (columns - 1) * _BETWEEN
    top = _MARGIN + (0.75 if note else 0.45)
    height = top + _HEAD + rows * (_HEIGHT + _GAP) + _MARGIN
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()

    def write(left: float, middle: float, text: str, size: float, **style: Any) -> None:
        axes.text(left, middle, text, fontsize=size, va="center", parse_math=False, **style)

    write(_MARGIN, _MARGIN, title, 12, weight="bold")
    write(_MARGIN, _MARGIN + 0.3, note, 9.5, color=_look(execution.status)[1])
    arrow = {"arrowstyle": "-|>", "color": "0.45", "linewidth": 1.2}
    for number, stage in enumerate(execution.stages):
        left, (sign, edge, _, word) = _MARGIN + number * (_WIDTH + _BETWEEN), _look(stage.status)
        write(left, top + 0.16, stage.name, 11, weight="bold")
        write(left, top + 0.4, f"{sign} {word}{_duration(stage.seconds)}", 8.5, color=edge)
        if number:
            middle = top + _HEAD / 2
            axes.annotate("", (left - 0.1, middle), (left - _BETWEEN + 0.02, middle), arrowprops=arrow)
        for row, action in enumerate(stage.actions):
            upper, (sign, edge, face, word) = top + _HEAD + row * (_HEIGHT + _GAP), _look(action.status)
            line = "--" if action.status == NOT_STARTED else "-"
            style: dict[str, Any] = {"facecolor": face, "edgecolor": edge, "linestyle": line, "linewidth": 1}
            rounded = "round,pad=0,rounding_size=0.06"
            axes.add_patch(FancyBboxPatch((left, upper), _WIDTH, _HEIGHT, boxstyle=rounded, **style))
            write(left + 0.12, upper + _HEIGHT / 2, sign, 12, color=edge)
            write(left + 0.38, upper + 0.17, action.label, 9.5)
            write(left + 0.38, upper + 0.36, f"{word}{_duration(action.seconds)}", 7.5, color=edge)
    with mpl.rc_context({"svg.hashsalt": "mistral7b"}):
        figure.savefig(file, dpi=120, metadata={"Date": None} if file.suffix == ".svg" else None)


def _look(status: str) -> tuple[str, str, str, str]:
    """Sign, edge, face and word."""
    return SIGNS.get(status, OTHER_SIGN)[0], *_LOOKS.get(status, ("#5f6368", "#eceef0", status.lower()))


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f", {minutes} min {rest:02d} s" if minutes else f", {seconds:.1f} s"
