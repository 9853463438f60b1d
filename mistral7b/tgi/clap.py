"""How the launcher reads the text of an environment variable: Rust's `FromStr` and the argument parser clap.

Messages are clap 4's and the Rust standard library's own, so a log of the embedded container reads like a real one.
"""

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial

U32_MAX = 2**32 - 1
USIZE_MAX = 2**64 - 1


class RustType(Enum):
    """The types that the launcher's arguments have."""

    STRING = "String"
    USIZE = "usize"
    U32 = "u32"
    F32 = "f32"
    BOOL = "bool"
    CHOICE = "ValueEnum"


# By type: how it is read, its form, and what Rust says of no text, of another form, and of a number beyond the range.
_INTEGER = "cannot parse integer from empty string", "invalid digit found in string"
_FLOAT = r"[+-]?(inf|infinity|nan|([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?)"
_NUMBERS: dict[RustType, tuple[Callable[[str], int | float], str, str, str, str, range | None]] = {
    RustType.USIZE: (int, r"\+?[0-9]+", *_INTEGER, "number too large to fit in target type", range(USIZE_MAX + 1)),
    # clap reads an i64 first, then checks the range
    RustType.U32: (int, r"[+-]?[0-9]+", *_INTEGER, f"{{}} is not in 0..={U32_MAX}", range(U32_MAX + 1)),
    RustType.F32: (float, _FLOAT, "cannot parse float from empty string", "invalid float literal", "", None),
}


class InvalidValueError(ValueError):
    """A text that clap refuses; `str(error)` is clap's message without the `error: ` before it."""


def parse_argument(
    variable: str, rust_type: RustType, text: str, choices: Sequence[str] = ()
) -> str | int | float | bool:
    """The value that the launcher reads from `text`, or InvalidValueError with clap's message."""
    option = "--" + variable.lower().replace("_", "-")
    placeholder = f"{option} <{variable}>"
    if rust_type is RustType.STRING or text in choices:
        return text
    if rust_type is RustType.BOOL:
        placeholder, choices = option, ("true", "false")
        if text in choices:
            return text == "true"
    if choices:
        missing = f"a value is required for '{placeholder}' but none was supplied"
        said = f"invalid value '{text}' for '{placeholder}'" if text else missing
        alike = max(choices, key=partial(_similarity, text))
        tip = f"\n\n  tip: a similar value exists: '{alike}'" if _similarity(text, alike) > 0.7 else ""
        raise InvalidValueError(f"{said}\n  [possible values: {', '.join(choices)}]{tip}")
    read, form, empty, invalid, beyond, numbers = _NUMBERS[rust_type]
    reason = invalid if text else empty
    if re.fullmatch(form, text, re.ASCII | re.IGNORECASE):
        number = read(text)
        if numbers is None or number in numbers:
            return number
        reason = beyond.format(number)
    raise InvalidValueError(f"invalid value '{text}' for '{placeholder}': {reason}")


def _similarity(text: str, other: str) -> float:
    """Jaro's similarity, by which clap finds the value that was meant."""
    reach, met = max(len(text), len(other)) // 2 - 1, list[int]()
    for i, letter in enumerate(text):
        near = range(max(0, i - reach), min(len(other), i + reach + 1))
        met += [j for j in near if other[j] == letter and j not in met][:1]
    swapped = sum(other[i] != other[j] for i, j in zip(met, sorted(met), strict=True)) // 2
    return (len(met) / len(text) + len(met) / len(other) + (len(met) - swapped) / len(met)) / 3 if met else 0.0
