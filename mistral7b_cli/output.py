"""Where results go: tables, text and JSON to standard output; progress, remarks and failures to standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mistral7b.errors import FAILED, UserError
from mistral7b.yamlfile import FileProblemsError, Problem
from mistral7b_cli.terminal import UNSAFE, SafeConsole, plain, redacted

# A pipe or a file has no width: lines stay whole there, so that grep and awk find what they look for.
_PIPE_WIDTH = 240

# Without emoji=False, rich turns the `:+1:` of a prompt into a picture.
_PLAIN: dict[str, Any] = {"highlight": False, "emoji": False, "markup": False}
out = SafeConsole(**_PLAIN, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
progress = SafeConsole(**_PLAIN, stderr=True)


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
    """Writes to standard output at once: to a terminal without control characters, elsewhere exactly as it is."""
    sys.stdout.write(UNSAFE.sub("", text) if sys.stdout.isatty() else text)
    sys.stdout.flush()


def write_json(value: Any, *, indent: int | None = 2) -> None:
    """Writes a command's document as JSON, for scripts; on one line with `indent=None`.

    Characters that a terminal would obey, or that the encoding of standard output lacks, are escaped.
    """
    ascii_only = "utf" not in sys.stdout.encoding.lower()
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only, default=asdict)
    write(UNSAFE.sub(lambda character: f"\\u{ord(character[0]):04x}", text) + "\n")


def report(error: UserError, *, as_json: bool) -> None:
    """Tells of an error on standard error; `as_json` also on standard output, as one JSON object for scripts."""
    told = plain(str(error))
    say(f"mistral7b: {told}", on=progress)
    if as_json and not error.documented:
        message, separator, fix = told.rpartition("\nfix: ")
        found = {"message": message or told, "fix": fix if separator else None, "exit_code": error.status}
        problems = {"problems": list(map(asdict, error.problems))} if isinstance(error, FileProblemsError) else {}
        write_json({"error": found | redacted(problems)}, indent=None)


def conclude(problems: Sequence[Problem], document: dict[str, Any] | None) -> None:
    """Ends a command that looks for problems.

    Where a `document` is given, it is printed as JSON, with `ready` and `problems`: of each its file, line, field,
    value, reason and fix, of which reason and fix are always there.

    Raises:
        UserError: there are problems; the text has them all.
    """
    if document is not None:
        write_json(redacted({**document, "ready": not problems, "problems": list(map(asdict, problems))}))
    if problems:
        raise UserError("\n".join(map(str, problems)), FAILED, documented=document is not None)
