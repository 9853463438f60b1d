"""JSON read into types as Rust's serde does it for the TGI router, with the errors that its clients see.

A reader of a type takes the JsonReader and returns the value. What differs from other parsers and matters to clients:
unknown fields are ignored, a struct may be given as an array of its fields, and the error that comes first in the text
is the one reported.
"""

import json
import struct
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn, TypeVar

from mistral7b.tgi.json_reader import JsonReader

T = TypeVar("T")
Read = Callable[[JsonReader], T]


def text(reader: JsonReader) -> str:
    """Rust's String."""
    if reader.peek() != b'"':
        _invalid_type(reader, "a string")
    return reader.string()


def boolean(reader: JsonReader) -> bool:
    """Rust's bool."""
    if reader.peek() not in (b"t", b"f"):
        _invalid_type(reader, "a boolean")
    return reader.ident() is True


def integer(rust_type: str, low: int, high: int) -> Read[int]:
    """A Rust integer type of this name, from `low` to `high`."""

    def read(reader: JsonReader) -> int:
        value = _number(reader, rust_type)
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
    value = _number(reader, "f32")
    try:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")
    return rounded


def optional(read: Read[T]) -> Read[T | None]:
    """Rust's Option: null, or a value of the type."""

    def read_optional(reader: JsonReader) -> T | None:
        if reader.peek() == b"n":
            reader.ident()
            return None
        return read(reader)

    return read_optional


def list_of(read: Read[T]) -> Read[list[T]]:
    """Rust's Vec."""

    def read_list(reader: JsonReader) -> list[T]:
        if reader.peek() != b"[":
            _invalid_type(reader, "a sequence")
        items: list[T] = []
        more = not reader.empty(b"]")
        while more:
            reader.path.append(f"[{len(items)}]")
            items.append(read(reader))
            reader.path.pop()
            more = reader.another(b"]")
        return items

    return read_list


def structure(name: str, fields: Mapping[str, Read[Any]], required: str | None = None) -> Read[dict[str, Any]]:
    """A Rust struct: those of its fields that are given. All but one have a default."""

    def read_structure(reader: JsonReader) -> dict[str, Any]:
        found = reader.peek()
        if found == b"[":
            return _from_array(reader, name, fields, required)
        if found != b"{":
            _invalid_type(reader, f"struct {name}")
        values: dict[str, Any] = {}
        more = not reader.empty(b"}")
        while more:
            key = reader.key()
            if key in values:
                reader.peek()
                reader.fail_data(f"duplicate field `{key}`")
            reader.path.append(key)
            reader.colon()
            if key in fields:
                values[key] = fields[key](reader)
            else:
                reader.skip_value()
            reader.path.pop()
            more = reader.another(b"}")
        if required is not None and required not in values:
            reader.fail_data(f"missing field `{required}`")
        return values

    return read_structure


def _from_array(reader: JsonReader, name: str, fields: Mapping[str, Read[Any]], required: str | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    more = not reader.empty(b"]")
    for index, (key, read) in enumerate(fields.items()):
        if not more:
            break
        reader.path.append(f"[{index}]")
        values[key] = read(reader)
        reader.path.pop()
        more = reader.another(b"]")
    if more:
        reader.fail_syntax("trailing characters", seen=len(reader.peek()))
    if required is not None and required not in values:
        reader.fail_data(f"invalid length {len(values)}, expected struct {name} with {len(fields)} elements")
    return values


def _number(reader: JsonReader, expected: str) -> int | float:
    found = reader.peek()
    if found != b"-" and not found.isdigit():
        _invalid_type(reader, expected)
    return reader.number()


def _invalid_type(reader: JsonReader, expected: str) -> NoReturn:
    """Raise for the value that is next, which is of another type."""
    found = reader.peek()
    if found in (b"n", b"t", b"f"):
        value = reader.ident()
        name = "null" if value is None else f"boolean `{json.dumps(value)}`"
    elif found == b'"':
        name = f"string {json.dumps(reader.string(), ensure_ascii=False)}"
    elif found == b"-" or found.isdigit():
        name = _name(reader.number())
    elif found in (b"[", b"{"):
        name = "sequence" if found == b"[" else "map"
    else:
        reader.fail_value()
    reader.fail_data(f"invalid type: {name}, expected {expected}")


def _name(number: float) -> str:
    if isinstance(number, int):
        return f"integer `{number}`"
    digits = f"{Decimal(repr(number)):f}"
    return f"floating point `{digits if '.' in digits else digits + '.0'}`"
