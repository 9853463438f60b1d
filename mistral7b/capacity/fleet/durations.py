"""Durations as users write them."""

import math
import re

from mistral7b.capacity.fleet.chunks import TraceError

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_FORM = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")

LONGEST_S = 31 * 86_400.0
"""A trace covers no more: a month."""


def parse_duration(text: str, column: str) -> float:
    """Seconds of `90`, `90s`, `5m`, `1.5h` or `1d`.

    Raises:
        TraceError: it is none of these, or more than a month.
    """
    match = _FORM.fullmatch(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else math.nan
    if not 0 <= seconds <= LONGEST_S:
        raise TraceError(
            "it is not a duration of up to 31 days",
            "write a number of seconds, or 5m, 1.5h, 1d",
            column=column,
            value=text[:40],
        )
    return seconds
