"""How the launcher reads the text of an environment variable: Rust's `FromStr` and the argument parser clap.

Messages are clap 4's and the Rust standard library's own, so a log of the embedded container reads like a real one.
"""

import re
from collections.abc import Sequence
from enum import Enum

U32_MAX = 2**32 - 1
USIZE_MAX = 2**64 - 1
_UNSIGNED = re.compile(r"\+?[0-9]+", re.ASCII)
_SIGNED = re.compile(r"[+-]?[0-9]+", re.ASCII)
_FLOAT = re.compile(r"[+-]?(inf|infinity|nan|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)", re.ASCII | re.IGNORECASE)


class RustType(Enum):
    """The types that the launcher's arguments have."""

    STRING = "String"
    USIZE = "usize"
    U32 = "u32"
    F32 = "f32"
    BOOL = "bool"
    CHOICE = "ValueEnum"


class InvalidValueError(ValueError):
    """A text that clap refuses; `str(error)` is clap's message without the `error: ` before it."""


def parse_argument(
    variable: str, rust_type: RustType, text: str, choices: Sequence[str] = ()
) -> str | int | float | bool:
    """The value that the launcher reads from `text`, or InvalidValueError with clap's message."""
    option = "--" + variable.lower().replace("_", "-")
    placeholder = f"{option} <{variable}>"
    if rust_type is RustType.CHOICE:
        return _choice(placeholder, text, choices)
    if rust_type is RustType.BOOL:
        return _choice(option, text, ("true", "false")) == "true"
    if rust_type is RustType.STRING:
        return text
    try:
        return _number(rust_type, text)
    except ValueError as error:
        raise InvalidValueError(f"invalid value '{text}' for '{placeholder}': {error}") from None


def _choice(option: str, text: str, choices: Sequence[str]) -> str:
    if text in choices:
        return text
    listed = f"\n  [possible values: {', '.join(choices)}]"
    if not text:
        raise InvalidValueError(f"a value is required for '{option}' but none was supplied{listed}")
    raise InvalidValueError(f"invalid value '{text}' for '{option}'{listed}")


def _number(rust_type: RustType, text: str) -> int | float:
    if rust_type is RustType.F32:
        return _f32(text)
    if not text:
        raise ValueError("cannot parse integer from empty string")
    if rust_type is RustType.U32:  # clap reads an i64 first, then checks the range
        if not _SIGNED.fullmatch(text):
            raise ValueError("invalid digit found in string")
        number = int(text)
        if not 0 <= number <= U32_MAX:
            raise ValueError(f"{number} is not in 0..={U32_MAX}")
        return number
    if not _UNSIGNED.fullmatch(text):
        raise ValueError("invalid digit found in string")
    if int(text) > USIZE_MAX:
        raise ValueError("number too large to fit in target type")
    return int(text)


def _f32(text: str) -> float:
    if not text:
        raise ValueError("cannot parse float from empty string")
    if not _FLOAT.fullmatch(text):
        raise ValueError("invalid float literal")
    return float(text)
