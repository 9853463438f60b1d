"""JSON read into types as Rust's serde does it for the TGI router, with the errors that its clients see.

Where serde differs from other parsers: it ignores unknown fields, accepts an array of a struct's fields for the struct,
and reports the error that comes first.
"""

import json
from collections.abc import Callable
from ctypes import c_float
from dataclasses import MISSING, fields
from decimal import Decimal
from functools import cache, partial
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from mistral7b.tgi.json_reader import JsonReader

T = TypeVar("T")

# Types of fields by Rust's names, and what an integer may be.
Usize = Annotated[int, "usize"]
U32 = Annotated[int, "u32"]
U64 = Annotated[int, "u64"]
I32 = Annotated[int, "i32"]
F32 = Annotated[float, "f32"]
_RANGES = {"usize": range(2**64), "u32": range(2**32), "u64": range(2**64), "i32": range(-(2**31), 2**31)}
_types: Callable[[Any], dict[str, Any]] = cache(partial(get_type_hints, include_extras=True))


def structure(reader: JsonReader, model: type[T], name: str) -> T:
    """A Rust struct called `name`, as a dataclass. Its types say how fields are read; those with a default may lack."""
    types, values = _types(model), dict[str, Any]()
    is_map = _beginning(reader, "[{", f"struct {name}") == "{"
    if not is_map:
        for index in reader.items():
            if index == len(types):
                reader.path.pop()
                reader.fail_syntax("trailing characters")
            key = list(types)[index]
            values[key] = _read(reader, types[key])
    else:
        for key in reader.members(values):
            if key in types:
                values[key] = _read(reader, types[key])
            else:
                reader.value()
    for field in fields(model):  # type: ignore[arg-type]
        if field.name not in values and field.default is field.default_factory is MISSING:
            in_array = f"invalid length {len(values)}, expected struct {name} with {len(types)} elements"
            reader.fail_data(f"missing field `{field.name}`" if is_map else in_array)
    return model(**values)


def _read(reader: JsonReader, hint: Any) -> Any:
    """The value that is next, of a type: Rust's Option, Vec, numbers, bool, String or a struct."""
    parts = get_args(hint)
    if type(None) in parts:
        return reader.scalar() if reader.peek() == "n" else _read(reader, parts[0])
    if get_origin(hint) is list:
        _beginning(reader, "[", "a sequence")
        return [_read(reader, parts[0]) for _ in reader.items()]
    if get_origin(hint) is Annotated:
        return _number(reader, parts[1])
    if hint in (bool, str):
        _beginning(reader, *(("tf", "a boolean") if hint is bool else ('"', "a string")))
        return reader.scalar()
    return structure(reader, hint, hint.__name__)


def _number(reader: JsonReader, rust_type: str) -> int | float:
    _beginning(reader, "-0123456789", rust_type)
    value: Any = reader.scalar()
    if rust_type == "f32":
        return c_float(value).value
    if isinstance(value, float):
        reader.fail_data(f"invalid type: {_name(value)}, expected {rust_type}")
    if value not in _RANGES[rust_type]:
        reader.fail_data(f"invalid value: {_name(value)}, expected {rust_type}")
    return int(value)


def _beginning(reader: JsonReader, first: str, expected: str) -> str:
    """The next character, if it is one of `first`; another begins a value that is not what serde calls `expected`."""
    found = reader.peek()
    if not found or found not in first:
        kind = {"[": "sequence", "{": "map"}.get(found) or _name(reader.scalar())
        reader.fail_data(f"invalid type: {kind}, expected {expected}")
    return found


def _name(value: str | float | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, str):
        return f"string {json.dumps(value, ensure_ascii=False)}"
    if isinstance(value, bool):
        return f"boolean `{json.dumps(value)}`"
    kind = "integer" if isinstance(value, int) else "floating point"
    return f"{kind} `{f'{Decimal(repr(value)):f}'.removesuffix('.0')}`"
