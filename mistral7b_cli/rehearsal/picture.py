"""A picture of a rehearsal: stages from left to right, their actions below each other, how each ended and how long."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from mistral7b_cli.rehearsal.execution import FAILED, IN_PROGRESS, NOT_STARTED, OTHER_SIGN, SIGNS, SUCCEEDED, Stage
from mistral7b_cli.rehearsal.result import Result

# Edge and face of each status, and its word. The sign says it, too, for readers who see no red and green.
_LOOKS = {
    SUCCEEDED: ("#1b7f4b", "#e5f4ec", "succeeded"),
    FAILED: ("#b3261e", "#fbe4e2", "failed"),
    IN_PROGRESS: ("#9a6b00", "#fff4d6", "in progress"),
    NOT_STARTED: ("#70757a", "#f6f7f8", "not started"),
}

# In units of the axes, which are inches: a box, and the gaps between boxes and stages. Six stages are as wide as a
# README, where a point then is 1.25 pixels.
_WIDTH, _HEIGHT, _GAP, _BETWEEN, _HEAD, _MARGIN, _LINE = 1.34, 0.44, 0.1, 0.2, 0.58, 0.15, 0.2
_SMALL, _LETTERS, _LOG_LINES = 8.2, 16, 3
"""Points of the smallest text, letters of it that a stage has room for, and lines of the failed action's log."""


def draw(result: Result, file: Path) -> None:
    """Draws a result into a file, whose suffix, such as .svg, says the format. Raises OSError.

    The same result gives the same file.
    """
    stages = result.execution.stages
    boxes = [[] if stage.status == NOT_STARTED else _boxes(stage) for stage in stages]
    log = [line for line in result.stop["log"] if line.strip()][-_LOG_LINES:] if result.stop else []
    width = max(6.0, 2 * _MARGIN + len(stages) * _WIDTH + (len(stages) - 1) * _BETWEEN)
    top = _MARGIN + (3.5 + len(log)) * _LINE
    height = top + _HEAD + max(map(len, boxes)) * (_HEIGHT + _GAP) + _MARGIN
    figure = Figure(figsize=(width, height))
    axes = figure.add_axes((0, 0, 1, 1), xlim=(0, width), ylim=(height, 0))
    axes.set_axis_off()

    def write(left: float, middle: float, text: str, size: float, letters: float, **style: Any) -> None:
        short = text if len(text) <= letters else f"{text[: int(letters) - 1]}…"
        axes.text(left, middle, short, fontsize=size, va="center", parse_math=False, **style)

    color, wide = _look(result.execution.status)[1], width * _LETTERS
    day = next((f", {action.started:%d %b %Y}" for action in result.execution.actions if action.started), "")
    names = ", ".join(one["environment"] for one in result.environments)
    took = _duration(Stage("", tuple(result.execution.actions)).seconds)
    end = f"promoted to {names} in {took} of this computer's time"
    write(_MARGIN, _MARGIN + 0.1, f"Rehearsal on this computer's embedded AWS{day}", 11, wide, weight="bold")
    write(_MARGIN, _MARGIN + 0.1 + _LINE, result.title, 9, wide * 0.85)
    write(_MARGIN, _MARGIN + 0.1 + 2 * _LINE, result.stopped or end, 9, wide * 0.85, color=color)
    for number, line in enumerate(log, 3):
        write(_MARGIN + 0.1, _MARGIN + 0.1 + number * _LINE, line, _SMALL, wide * 0.85, family="monospace")
    for number, (stage, below) in enumerate(zip(stages, boxes, strict=True)):
        left, (sign, edge, _, _) = _MARGIN + number * (_WIDTH + _BETWEEN), _look(stage.status)
        write(left, top + 0.16, stage.name, 10, _LETTERS, weight="bold")
        write(left, top + 0.38, f"{sign} {_outcome(stage)}", _SMALL, 2 * _LETTERS, color=edge)
        if number:
            arrow = {"arrowstyle": "-|>", "color": "0.45", "linewidth": 1.2, "shrinkA": 0, "shrinkB": 0}
            axes.annotate("", (left - 0.03, top + 0.38), (left - _BETWEEN - 0.1, top + 0.38), arrowprops=arrow)
        for row, box in enumerate(below):
            upper, (sign, edge, face, _) = top + _HEAD + row * (_HEIGHT + _GAP), _look(box.status)
            line = "--" if box.status == NOT_STARTED else "-"
            style: dict[str, Any] = {"facecolor": face, "edgecolor": edge, "linestyle": line, "linewidth": 1}
            rounded = "round,pad=0,rounding_size=0.06"
            axes.add_patch(FancyBboxPatch((left, upper), _WIDTH, _HEIGHT, boxstyle=rounded, **style))
            write(left + 0.06, upper + _HEIGHT / 2, sign, 11, 1, color=edge)
            write(left + 0.25, upper + 0.14, box.name, _SMALL, _LETTERS)
            write(left + 0.25, upper + 0.31, _outcome(box), _SMALL, _LETTERS + 2, color=edge)
    with mpl.rc_context({"svg.hashsalt": "mistral7b"}):
        figure.savefig(file, dpi=180, metadata={"Date": None} if file.suffix == ".svg" else None)


def _boxes(stage: Stage) -> list[Stage]:
    """The actions of a stage by their labels; the two of a change set together."""
    found: dict[str, Stage] = {}
    for action in stage.actions:
        stack = action.label.removesuffix(".Prepare").removesuffix(".Deploy")
        label = action.label if stack == action.label else f"Deploy {stack}"
        found[label] = Stage(label, (*(found[label].actions if label in found else ()), action))
    return list(found.values())


def _look(status: str) -> tuple[str, str, str, str]:
    """Sign, edge, face and word."""
    return SIGNS.get(status, OTHER_SIGN)[0], *_LOOKS.get(status, ("#5f6368", "#eceef0", status.lower()))


def _outcome(stage: Stage) -> str:
    """How it ended and how long it took; who approved, as waiting is no work. A sign says that it succeeded."""
    if stage.status == SUCCEEDED and {action.category for action in stage.actions} == {"Approval"}:
        by, rehearsed, _ = stage.actions[0].reason.partition(" in a rehearsal")
        return by if rehearsed else "not needed"
    word = "" if stage.status == SUCCEEDED else _look(stage.status)[3]
    return ", ".join(filter(None, (word, _duration(stage.seconds))))


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
