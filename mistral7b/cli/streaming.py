"""Standard output exactly as it is to be, and answers as they come."""

import json
import sys

from mistral7b.cli.waiting import Waiting
from mistral7b.tgi import StreamEvent


def write(text: str) -> None:
    """Writes to standard output at once, exactly as it is."""
    sys.stdout.write(text)
    sys.stdout.flush()


def write_json(value: object, *, indent: int | None = 2) -> None:
    """Writes JSON; on one line with `indent=None`. Not through rich, which reads `:+1:` in a text as an emoji."""
    write(json.dumps(value, indent=indent, ensure_ascii=False) + "\n")


class TextWriter:
    """Writes the text of the tokens, from its first letter on."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting
        self._written = ""

    def show(self, event: StreamEvent) -> None:
        """Writes one token's text."""
        text = "" if event.token.special else event.token.text
        if not self._written:
            text = text.lstrip()
        if text:
            self._waiting.done()
            write(text)
            self._written = text

    def end(self) -> None:
        """Ends the line, if one was begun."""
        if self._written and not self._written.endswith("\n"):
            write("\n")


class JsonLineWriter:
    """Writes a line of JSON for every token."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    def show(self, event: StreamEvent) -> None:
        """Writes one token."""
        self._waiting.done()
        write(event.model_dump_json(include={"token", "top_tokens"}, exclude_defaults=True) + "\n")

    def end(self) -> None:
        """Writes nothing: every line is whole."""
