"""A JSON text read value by value, with serde_json's messages and positions; `mistral7b.tgi.serde` stands on it."""

import json
import re
from collections.abc import Container, Iterator
from typing import NoReturn

_SPACE = re.compile(rb"[ \n\t\r]*")
# Without a possessive `*+`: before 3.11.5 Python goes back into one that holds a choice (cpython issue 106052).
_PLAIN = rb'[^"\\\x00-\x1f]*'
_STRING_BODY = rb'"' + _PLAIN + rb'(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})' + _PLAIN + rb")*"
_STRING = re.compile(_STRING_BODY + rb'"')
_UNFINISHED_STRING = re.compile(_STRING_BODY)
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?P<fraction>\.[0-9]+)?(?P<exponent>[eE][+-]?[0-9]+)?")
_IDENTS = {b"n": b"null", b"t": b"true", b"f": b"false"}


class JsonSyntaxError(ValueError):
    """The text is not JSON; the message says where."""


class JsonDataError(ValueError):
    """The text is JSON of another shape; the message says where and what."""


class JsonReader:
    """A position in a JSON text, and the path to it. Errors name the path, then what is wrong, then the position."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        self.index = 0
        self.path: list[str] = []

    def fail_syntax(self, message: str, *, seen: int = 0) -> NoReturn:
        """Raise JsonSyntaxError, `seen` bytes after this position."""
        raise JsonSyntaxError(self._located(message, min(self.index + seen, len(self.text))))

    def fail_data(self, message: str) -> NoReturn:
        """Raise JsonDataError at this position."""
        raise JsonDataError(self._located(message, self.index))

    def _located(self, message: str, index: int) -> str:
        line = self.text.count(b"\n", 0, index) + 1
        column = index - (self.text.rfind(b"\n", 0, index) + 1)
        path = ".".join(self.path).replace(".[", "[")
        return f"{path + ': ' if path else ''}{message} at line {line} column {column}"

    def peek(self) -> bytes:
        """The next byte that is not white space, b'' at the end."""
        if match := _SPACE.match(self.text, self.index):
            self.index = match.end()
        return self.text[self.index : self.index + 1]

    def ident(self) -> bool | None:
        """The `null`, `true` or `false` that begins with the next byte."""
        word = _IDENTS[self.peek()]
        for expected in word:
            found = self.text[self.index : self.index + 1]
            self.index += len(found)
            if found != bytes([expected]):
                self.fail_syntax("expected ident" if found else "EOF while parsing a value")
        return None if word == b"null" else word == b"true"

    def string(self) -> str:
        """The string whose quote is next."""
        match = _STRING.match(self.text, self.index)
        if match is None:
            self._fail_string()
        self.index = match.end()
        try:
            value: str = json.loads(match[0])
            value.encode()  # json.loads lets lone surrogates pass
        except UnicodeDecodeError:
            self.fail_syntax("invalid unicode code point")
        except UnicodeEncodeError:
            self.fail_syntax("lone leading surrogate in hex escape")
        return value

    def _fail_string(self) -> NoReturn:
        if match := _UNFINISHED_STRING.match(self.text, self.index):
            self.index = match.end()
        rest = self.text[self.index : self.index + 2]
        if rest in (b"", b"\\"):
            self.fail_syntax("EOF while parsing a string", seen=len(rest))
        if rest.startswith(b"\\"):
            self.fail_syntax("invalid escape", seen=2)
        self.fail_syntax("control character (\\u0000-\\u001F) found while parsing a string", seen=1)

    def number(self) -> int | float:
        """The number that is next; an int only if it fits 64 bits."""
        match = _NUMBER.match(self.text, self.index)
        following = self.text[match.end() : match.end() + 1] if match else b""
        if match is None or following in (b".", b"e", b"E") or (match[0].lstrip(b"-") == b"0" and following.isdigit()):
            self.index = match.end() if match else self.index + 1
            if self.index >= len(self.text):
                self.fail_syntax("EOF while parsing a value")
            self.fail_syntax("invalid number", seen=1)
        self.index = match.end()
        digits = match[0].decode()
        if match["fraction"] is None and match["exponent"] is None and digits != "-0" and len(digits) <= 20:
            whole = int(digits)
            if -(2**63) <= whole < 2**64:
                return whole
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            self.fail_syntax("number out of range")
        return value

    def _fail(self, found: bytes, message: str, parsing: str) -> NoReturn:
        """Raise JsonSyntaxError for `found`, which is next; nothing is the end of the text."""
        self.fail_syntax(message if found else f"EOF while parsing {parsing}", seen=len(found))

    def scalar(self) -> str | float | None:
        """The string, number, boolean or null that is next."""
        found = self.peek()
        if found in _IDENTS:
            return self.ident()
        if found == b'"':
            return self.string()
        if found == b"-" or found.isdigit():
            return self.number()
        return self._fail(found, "expected value", "a value")

    def items(self) -> Iterator[int]:
        """Steps through the array whose bracket is next, to each value, which is then read."""
        more, index = not self.empty(b"]"), 0
        while more:
            self.path.append(f"[{index}]")
            yield index
            self.path.pop()
            more, index = self.another(b"]"), index + 1

    def members(self, values: Container[str]) -> Iterator[str]:
        """Steps through the object whose bracket is next, to the value of each key, which must not be in `values`."""
        more = not self.empty(b"}")
        while more:
            key = self.key()
            if key in values:
                self.peek()
                self.fail_data(f"duplicate field `{key}`")
            self.path.append(key)
            self.colon()
            yield key
            self.path.pop()
            more = self.another(b"}")

    def key(self) -> str:
        """The key of a field, which is next."""
        if (found := self.peek()) == b'"':
            return self.string()
        return self._fail(found, "trailing comma" if found == b"}" else "key must be a string", "an object")

    def colon(self) -> None:
        """Read the colon after a key."""
        if (found := self.peek()) != b":":
            self._fail(found, "expected `:`", "an object")
        self.index += 1

    def another(self, closer: bytes) -> bool:
        """Whether an array or object goes on after a value; reads the comma, or the bracket that closes it."""
        found = self.peek()
        if found not in (b",", closer):
            self._fail(found, f"expected `,` or `{closer.decode()}`", "a list" if closer == b"]" else "an object")
        self.index += 1
        if found == b"," and closer == b"]" and self.peek() == closer:
            self.fail_syntax("trailing comma", seen=1)
        return found == b","

    def empty(self, closer: bytes) -> bool:
        """Read the bracket that opens an array or object; whether it is empty, its closing bracket then read too."""
        self.index += 1
        is_empty = self.peek() == closer
        self.index += is_empty
        return is_empty

    def skip_value(self) -> None:
        """Read a value that no one wants, however deep it is."""
        closers: list[bytes] = []
        while True:
            found = self.peek()
            closer = {b"[": b"]", b"{": b"}"}.get(found)
            if closer is None:
                self.scalar()
            elif not self.empty(closer):
                closers.append(closer)
                self._skip_key(closer)
                continue
            while closers and not self.another(closers[-1]):
                closers.pop()
            if not closers:
                return
            self._skip_key(closers[-1])

    def _skip_key(self, closer: bytes) -> None:
        if closer == b"}":
            self.key()
            self.colon()
