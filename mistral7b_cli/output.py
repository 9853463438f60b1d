"""Where results go: tables, text and JSON to standard output; progress, remarks and failures to standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from mistral7b.errors import UserError
from mistral7b_cli.layout import Table, wrapped

if TYPE_CHECKING:
    from mistral7b.yamlfile import Problem

# Without emoji=False, rich turns the `:+1:` of a prompt into a picture.
out = Console(highlight=False, emoji=False)
progress = Console(stderr=True, highlight=False, emoji=False)

# What a terminal would take as a command: all control characters but new line and tab.
_CONTROLS = dict.fromkeys(c for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\n\t")


def say(shown: str | Text | Table, style: str = "", *, on: Console = out) -> None:
    """Prints text or a table. A terminal gets lines that fit; a pipe or a file whole ones, for grep and awk."""
    if isinstance(shown, str):
        shown = Text(shown)
    if isinstance(shown, Text) and on.is_terminal:
        shown = Text("\n").join(wrapped(line, on.width) for line in shown.split("\n", allow_blank=True))
    on.print(shown, style=style, soft_wrap=True)


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
        UserError: there are problems; the text has them all.
    """
    if document is not None:
        write_json({**document, "ready": not problems, "problems": problems})
    if problems:
        raise UserError("\n".join(map(str, problems)), 1)


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Raises UserError where the file cannot be written."""
    try:
        yield
    except OSError as error:
        raise UserError(f"{file} cannot be written: {error.strerror}\nfix: name another file", 1) from error
