"""Where results go: tables, text and JSON to standard output; progress, remarks and failures to standard error."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.text import Text

from mistral7b.errors import FAILED, INTERRUPTED, UserError
from mistral7b.yamlfile import FileProblemsError, Problem
from mistral7b_cli.layout import Table, wrapped
from mistral7b_cli.terminal import UNSAFE, SafeConsole, plain, redacted

# Without emoji=False, rich turns the `:+1:` of a prompt into a picture.
_PLAIN: dict[str, Any] = {"highlight": False, "emoji": False, "markup": False}
out = SafeConsole(**_PLAIN)
progress = SafeConsole(**_PLAIN, stderr=True)


def say(shown: str | Text | Table, style: str = "", *, on: Console = out) -> None:
    """Prints text or a table. A terminal gets lines that fit; a pipe or a file whole ones, for grep and awk."""
    if isinstance(shown, str):
        shown = Text(plain(shown))  # before it is broken into lines: a secret may be
    if isinstance(shown, Text) and on.is_terminal:
        shown = Text("\n").join(wrapped(line, on.width) for line in shown.split("\n", allow_blank=True))
    on.print(shown, style=style, soft_wrap=True)


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
    say(Text.assemble(("mistral7b:", "bold red"), f" {told}"), on=progress)
    if as_json and not error.documented:
        message, separator, fix = told.rpartition("\nfix: ")
        found = {"message": message or told, "fix": fix if separator else None, "exit_code": error.status}
        problems = {"problems": list(map(asdict, error.problems))} if isinstance(error, FileProblemsError) else {}
        write_json({"error": found | redacted(problems)}, indent=None)


def confirmed(question: str) -> None:
    """Asks on standard error. Raises UserError for anything but yes, and where nobody can answer."""
    if not sys.stdin.isatty():
        raise UserError("the command asks first, and standard input is no terminal\nfix: add --yes")
    try:
        if not typer.confirm(question, err=True):
            raise UserError("nothing was deleted", FAILED)
    except typer.Abort:
        raise typer.Exit(INTERRUPTED) from None


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
