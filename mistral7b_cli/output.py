"""Where results go: tables, text and JSON to standard output; progress, remarks and failures to standard error."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mistral7b_cli.failure import CommandError

if TYPE_CHECKING:
    from mistral7b.yamlfile import Problem

# A pipe or a file has no width: lines stay whole there, so that grep and awk find what they look for.
_PIPE_WIDTH = 240

# Without emoji=False, rich turns the `:+1:` of a prompt into a picture.
out = Console(highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
progress = Console(stderr=True, highlight=False, emoji=False)

# What a terminal would take as a command: all control characters but new line and tab.
_CONTROLS = dict.fromkeys(c for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\n\t")


def say(text: str | Text, style: str = "", *, on: Console = out) -> None:
    """Prints text as it is, which a terminal breaks where it has to."""
    on.print(text, style=style, markup=False, soft_wrap=True)


def table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str | Text]], *, numbers: bool = False) -> Table:
    """A table; cells that do not fit go on in the next line. `numbers`: all columns but the first are figures."""
    made = Table(title=title or None, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, heading in enumerate(headings):
        made.add_column(heading, overflow="fold", justify="right" if numbers and place else "left")
    for row in rows:
        made.add_row(*(cell if isinstance(cell, Text) else Text(cell) for cell in row))
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
    write(json.dumps(value, indent=indent, ensure_ascii=False, default=asdict) + "\n")


def conclude(problems: "Sequence[Problem]", document: dict[str, Any] | None) -> None:
    """Ends a command that looks for problems.

    Where a `document` is given, it is printed as JSON, with `ready` and `problems`: of each its file, line, field,
    value, reason and fix, of which reason and fix are always there.

    Raises:
        CommandError: there are problems; the text has them all.
    """
    if document is not None:
        write_json({**document, "ready": not problems, "problems": problems})
    if problems:
        raise CommandError("\n".join(map(str, problems)))


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Raises CommandError where the file cannot be written."""
    try:
        yield
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}\nfix: name another file") from error
