"""Where results go: tables and text to standard output, progress to standard error."""

import json
import sys
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

# A pipe or a file has no width: lines stay whole there, so that grep and awk find what they look for.
_PIPE_WIDTH = 240

out = Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
progress = Console(stderr=True, highlight=False)


def table(title: str, *headings: str) -> Table:
    """An empty table in the command's style; cells that do not fit go on in the next line."""
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings:
        made.add_column(heading, overflow="fold")
    return made


def print_json(value: Any) -> None:
    """Prints `value` as JSON, unwrapped and uncoloured, so that a script can read it."""
    out.print(json.dumps(value, indent=2, ensure_ascii=False), markup=False, soft_wrap=True)
