"""Where results go: tables and text to standard output, progress to standard error."""

import json
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

# A pipe or a file has no width: lines stay whole there, so that grep and awk find what they look for.
_PIPE_WIDTH = 240

# Without emoji=False, rich turns the `:+1:` of a prompt into a picture.
out = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
progress = Console(stderr=True, highlight=False, emoji=False)

# What a terminal would take as a command: all control characters but new line and tab.
_CONTROLS = dict.fromkeys(c for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\n\t")


def table(title: str, *headings: str) -> Table:
    """An empty table in the command's style; cells that do not fit go on in the next line."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def write(text: str) -> None:
    """Writes to standard output at once, exactly as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_answer(text: str) -> None:
    """Writes what a model has said: to a terminal without control characters, elsewhere exactly as it is."""
    write(text.translate(_CONTROLS) if sys.stdout.isatty() else text)


def write_json(value: Any, *, indent: int | None = 2) -> None:
    """Writes JSON, for scripts; on one line with `indent=None`."""
    write(json.dumps(value, indent=indent, ensure_ascii=False) + "\n")
