"""Answers as they come."""

from mistral7b.tgi import StreamEvent
from mistral7b_cli.output import write, write_answer
from mistral7b_cli.waiting import Waiting


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
            write_answer(text)
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
