"""Reads a JSON text value by value, with the messages and positions of Rust's serde_json."""

import json
import re
from collections.abc import Container, Iterator
from typing import NoReturn

from pydantic_core import from_json

_SPACE = re.compile(r"[ \n\t\r]*")
_MORE_OF_A_NUMBER = re.compile(r"[0-9.eE]")  # after 0, or after what is a whole number by itself


class JsonError(ValueError):
    """The text is not JSON (HTTP status 400), or is JSON of another shape (422); the message says where and what."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _integer(digits: str) -> int | float:
    """An int only if it fits 64 bits, as in serde_json."""
    whole = int(digits) if digits != "-0" and len(digits) <= 20 else 2**64
    return whole if -(2**63) <= whole < 2**64 else float(digits)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_DECODER = json.JSONDecoder(parse_int=_integer, parse_constant=_no_constant)


class JsonReader:
    """A position in a JSON text, and the path to it. Errors name the path, then what is wrong, then the position."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._text = body.decode(errors="surrogateescape")
        self._index = 0
        self.path: list[str] = []

    def fail_data(self, message: str) -> NoReturn:
        """Raise JsonError 422 at this position."""
        raise JsonError(422, self._located(message, self._index))

    def fail_syntax(self, message: str = "") -> NoReturn:
        """Raise JsonError 400: with `message` at the next character, or as pydantic's parser reports the text.

        That parser, jiter, has serde_json's messages and positions.
        """
        if not message:
            try:
                from_json(self._body, allow_inf_nan=False)
            except ValueError as error:
                raise JsonError(400, self._with_path(str(error))) from None
        seen = len(self.peek())
        raise JsonError(400, self._located(message or "expected value", self._index + seen))

    def _located(self, message: str, index: int) -> str:
        before = self._text[:index].encode(errors="surrogateescape")
        line, column = before.count(b"\n") + 1, len(before) - before.rfind(b"\n") - 1
        return self._with_path(f"{message} at line {line} column {column}")

    def _with_path(self, message: str) -> str:
        path = ".".join(self.path).replace(".[", "[")
        return message if path in ("", "?") else f"{path}: {message}"

    def peek(self) -> str:
        """The next character that is not white space, empty at the end."""
        if match := _SPACE.match(self._text, self._index):
            self._index = match.end()
        return self._text[self._index : self._index + 1]

    def value(self) -> object:
        """The value that is next, of any type."""
        self.peek()
        try:
            value, self._index = _DECODER.raw_decode(self._text, self._index)
        except (ValueError, RecursionError):
            self.fail_syntax()
        if type(value) in (int, float) and _MORE_OF_A_NUMBER.match(self._text, self._index):
            self.fail_syntax()
        return value

    def scalar(self) -> str | float | None:
        """The string, number, boolean or null that is next."""
        value = self.value()
        if isinstance(value, str) and not value.isascii():
            try:
                value.encode()  # json lets lone surrogates pass
            except UnicodeEncodeError:
                self.fail_syntax()
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise JsonError(400, self._located("number out of range", self._index))
        return value if value is None or isinstance(value, str | float | int) else self.fail_syntax()

    def items(self) -> Iterator[int]:
        """Steps through the array whose bracket is next, to each value, which is then read."""
        more, index = not self._is_empty("]"), 0
        while more:
            self.path.append(f"[{index}]")
            yield index
            self.path.pop()
            more, index = self._another("]"), index + 1

    def members(self, values: Container[str]) -> Iterator[str]:
        """Steps through the object whose bracket is next, to the value of each key, which must not be in `values`."""
        more = not self._is_empty("}")
        while more:
            self.path.append("?")  # serde_path_to_error does not know the key yet
            if self.peek() != '"':
                self.fail_syntax()
            key = str(self.scalar())
            self.path.pop()
            if key in values:
                self.peek()
                self.fail_data(f"duplicate field `{key}`")
            self.path.append(key)
            if self.peek() != ":":
                self.fail_syntax()
            self._index += 1
            yield key
            self.path[-1] = "?"
            more = self._another("}")
            self.path.pop()

    def _another(self, closer: str) -> bool:
        """Whether an array or object goes on after a value; reads the comma, or the bracket that closes it."""
        found = self.peek()
        if found not in (",", closer):
            self.fail_syntax()
        self._index += 1
        if found == "," and self.peek() == closer:
            self.fail_syntax()
        return found == ","

    def _is_empty(self, closer: str) -> bool:
        """Read the bracket that opens an array or object; whether it is empty, its closing bracket then read too."""
        self._index += 1
        empty = self.peek() == closer
        self._index += empty
        return empty
