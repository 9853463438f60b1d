"""JSON read into types as Rust's serde does it for the TGI router, with the errors that its clients see.

A reader of a type takes the JsonReader and returns the value. Where serde differs from other parsers: it ignores
unknown fields, accepts an array of a struct's fields for the struct, and reports the error that comes first.
"""

import json
import struct
from collections.abc import Callable
from dataclasses import MISSING, fields
from decimal import Decimal
from typing import Annotated, Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

from mistral7b.tgi.json_reader import JsonReader

T = TypeVar("T")
Read = Callable[[JsonReader], T]


def _beginning_with(first: bytes, expected: str, read: Read[T]) -> Read[T]:
    """A value that begins with one of the bytes `first`; another is not what serde calls `expected`."""

    def read_checked(reader: JsonReader) -> T:
        if reader.peek() not in {bytes([byte]) for byte in first}:
            _invalid_type(reader, expected)
        return read(reader)

    return read_checked


text = _beginning_with(b'"', "a string", JsonReader.string)
"""Rust's String."""
boolean = _beginning_with(b"tf", "a boolean", lambda reader: reader.ident() is True)
"""Rust's bool."""


def _number(rust_type: str) -> Read[int | float]:
    return _beginning_with(b"-0123456789", rust_type, JsonReader.number)


def integer(rust_type: str, low: int, high: int) -> Read[int]:
    """A Rust integer type of this name, from `low` to `high`."""

    def read(reader: JsonReader) -> int:
        value = _number(rust_type)(reader)
        if isinstance(value, float):
            reader.fail_data(f"invalid type: {_name(value)}, expected {rust_type}")
        if not low <= value <= high:
            reader.fail_data(f"invalid value: {_name(value)}, expected {rust_type}")
        return value

    return read


u32 = integer("u32", 0, 2**32 - 1)
u64 = integer("u64", 0, 2**64 - 1)
usize = integer("usize", 0, 2**64 - 1)
i32 = integer("i32", -(2**31), 2**31 - 1)


def f32(reader: JsonReader) -> float:
    """Rust's f32: what is too small becomes 0, what is too large infinite."""
    value = _number("f32")(reader)
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def optional(read: Read[T]) -> Read[T | None]:
    """Rust's Option: null, or a value of the type."""
    return lambda reader: None if reader.peek() == b"n" and reader.ident() is None else read(reader)


def list_of(read: Read[T]) -> Read[list[T]]:
    """Rust's Vec."""
    return _beginning_with(b"[", "a sequence", lambda reader: [read(reader) for _ in reader.items()])


def structure(model: type[T], name: str) -> Read[T]:
    """A Rust struct called `name`, as a dataclass. Its types say how fields are read; those with a default may lack."""
    readers = {key: _reader_of(hint) for key, hint in get_type_hints(model, include_extras=True).items()}
    required = next((f.name for f in fields(model) if f.default is f.default_factory is MISSING), "")  # type: ignore[arg-type]

    def read_structure(reader: JsonReader) -> T:
        values: dict[str, Any] = {}
        if reader.peek() == b"[":
            for index in reader.items():
                if index == len(readers):
                    reader.path.pop()
                    reader.fail_syntax("trailing characters", seen=len(reader.peek()))
                key = list(readers)[index]
                values[key] = readers[key](reader)
            missing = f"invalid length {len(values)}, expected struct {name} with {len(readers)} elements"
        else:
            for key in reader.members(values):
                if key in readers:
                    values[key] = readers[key](reader)
                else:
                    reader.skip_value()
            missing = f"missing field `{required}`"
        if required and required not in values:
            reader.fail_data(missing)
        return model(**values)

    return _beginning_with(b"[{", f"struct {name}", read_structure)


def _reader_of(hint: Any) -> Read[Any]:
    parts = get_args(hint)
    if type(None) in parts:
        return optional(_reader_of(parts[0]))
    if get_origin(hint) is list:
        return list_of(_reader_of(parts[0]))
    if get_origin(hint) is Annotated:
        read: Read[Any] = parts[1]
        return read
    return {bool: boolean, str: text}.get(hint) or structure(hint, hint.__name__)


def _invalid_type(reader: JsonReader, expected: str) -> NoReturn:
    """Raise for the value that is next, which is of another type."""
    name = {b"[": "sequence", b"{": "map"}.get(reader.peek()) or _name(reader.scalar())
    reader.fail_data(f"invalid type: {name}, expected {expected}")


def _name(value: str | float | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, str | bool):
        return (
            f"string {json.dumps(value, ensure_ascii=False)}"
            if isinstance(value, str)
            else f"boolean `{json.dumps(value)}`"
        )
    digits = f"{Decimal(repr(value)):f}"
    is_whole = isinstance(value, int)
    return f"{'integer' if is_whole else 'floating point'} `{digits if is_whole or '.' in digits else digits + '.0'}`"
