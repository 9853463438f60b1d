"""A trace of requests, read from a CSV file and checked line by line; durations, numbers and lines of files."""

import math
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mistral7b.errors import UserError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MOST_REQUESTS = 20_000_000
"""More are refused: with some 100 bytes each they would need more than 2 GB."""
LONGEST_S = 31 * 86_400.0
"""A trace covers no more: a month."""

_COLUMNS = ("time_s", "input_tokens", "output_tokens")
_HEADER = ",".join(_COLUMNS)
_LONGEST_LINE = 4096
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smhd]?)")


@dataclass(frozen=True, eq=False)
class Trace:
    """Requests by time, at least one.

    Attributes:
        times: Seconds from the trace's start, ascending.
        inputs: Prompt tokens of each.
        outputs: Tokens that each generates.
        duration_s: Seconds that the trace covers; no request is later.
        max_new_tokens: What each asks for at most; 0 means as many as it generates.
    """

    times: Floats
    inputs: Ints
    outputs: Ints
    duration_s: float
    max_new_tokens: int = 0

    def __post_init__(self) -> None:
        if not self.times.size:
            raise UserError("the trace holds no request\nfix: raise the rate or the duration")


def read_trace(file: Path, max_input_tokens: int, max_total_tokens: int) -> Trace:
    """Reads a CSV file of requests: a header `time_s,input_tokens,output_tokens`, then a request a line, by time.

    The trace lasts until the last request, rounded up to a second. The limits are the container's MAX_INPUT_LENGTH and
    MAX_TOTAL_TOKENS. Raises UserError for anything else, for a request that the container refuses, and for too many.
    """
    lines = numbered_lines(file)
    number, header = next(lines, (0, ""))
    if not header:
        raise UserError(f"{file}: the file is empty\nfix: begin it with the line {_HEADER}")
    if [part.strip() for part in header.split(",")] != list(_COLUMNS):
        reason = "it is not the header of a trace"
        raise UserError(f"{file}:{number}: header = {header[:60]}: {reason}\nfix: make the first line {_HEADER}")
    numbers, last = array("d"), 0.0  # 24 bytes a request
    for number, text in lines:
        try:  # a quick check: `_error` looks for what is wrong
            time, prompt, answer = map(float, text.split(","))
            right = (
                last <= time <= LONGEST_S
                and 1 <= prompt <= max_input_tokens
                and 1 <= answer <= max_total_tokens - prompt
                and prompt % 1 == answer % 1 == 0
                and "_" not in text  # which float() skips
            )
        except ValueError:
            right = False
        if not right:
            raise _error(file, number, text, last, (max_input_tokens, max_total_tokens))
        numbers.extend((time, prompt, answer))
        last = time
        if len(numbers) > 3 * MOST_REQUESTS:
            reason = f"the trace holds more than {MOST_REQUESTS:,} requests, too many to simulate one by one"
            raise UserError(f"{file}: {reason}\nfix: cut the trace, for example to its busiest hour")
    if not numbers:
        raise UserError(f"{file}: the file holds no request\nfix: add lines such as 0.5,300,120 below the header")
    times, inputs, outputs = np.frombuffer(numbers).reshape(-1, 3).T
    return Trace(times, inputs.astype(np.int64), outputs.astype(np.int64), math.floor(times[-1]) + 1.0)


def _error(file: Path, number: int, text: str, last: float, limits: tuple[int, int]) -> UserError:
    """What is wrong with a line that follows a request at `last` seconds."""
    write, larger = f"write {_HEADER}, such as 0.5,300,120", "or simulate an environment with a larger limit"
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != len(_COLUMNS):
        reason = f"the line has {len(cells)} columns, not {len(_COLUMNS)}"
        return UserError(f"{file}:{number}: line = {text[:60]}: {reason}\nfix: {write}")
    numbers = [finite(cell) for cell in cells]
    time, prompt, answer = (value or 0.0 for value in numbers)
    rules = (
        *((value is None, at, "it is not a finite number", write) for at, value in enumerate(numbers)),
        (time < 0, 0, "a time is 0 or more seconds from the start", "count from the first request"),
        (time > LONGEST_S, 0, "a trace covers 31 days at most", "cut the file into parts"),
        (time < last, 0, "it is earlier than the line before", "sort the file by time_s"),
        (prompt < 1 or prompt % 1, 1, "a prompt is a whole number of tokens, 1 or more", "count them"),
        (answer < 1 or answer % 1, 2, "an answer is a whole number of tokens, 1 or more", "count them"),
        (
            prompt > limits[0], 1, f"the container refuses prompts above MAX_INPUT_LENGTH, which is {limits[0]}",
            f"shorten the prompt, {larger}",
        ),
        (
            True, 2, f"prompt and answer are above MAX_TOTAL_TOKENS, which is {limits[1]}",
            f"shorten the answer, {larger}",
        ),
    )  # fmt: skip
    _, place, reason, fix = next(rule for rule in rules if rule[0])
    return UserError(f"{file}:{number}: {_COLUMNS[place]} = {cells[place][:40]}: {reason}\nfix: {fix}")


def parse_duration(text: str, column: str) -> float:
    """Seconds of `90`, `90s`, `5m`, `1.5h` or `1d`. Raises UserError if it is none of these, or more than a month."""
    match = _DURATION.fullmatch(text.strip())
    seconds = float(match[1]) * _UNITS[match[2]] if match else math.nan
    if not 0 <= seconds <= LONGEST_S:
        reason, fix = "it is not a duration of up to 31 days", "write a number of seconds, or 5m, 1.5h, 1d"
        raise UserError(f"{column} {text[:40]}: {reason}\nfix: {fix}")
    return seconds


def numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of a text file that are not blank, each with its number. Raises UserError if it is no text file."""
    if file.exists() and not file.is_file():  # a device might never end
        raise UserError(f"{file}: it is not a regular file\nfix: write it to a file first")
    with file.open(encoding="utf-8-sig", errors="replace") as stream:
        for number, line in enumerate(iter(lambda: stream.readline(_LONGEST_LINE + 1), ""), start=1):
            if len(line) > _LONGEST_LINE:
                reason = f"the line is longer than {_LONGEST_LINE} characters"
                raise UserError(f"{file}:{number}: {reason}\nfix: write one request a line")
            if text := line.strip():
                yield number, text


def finite(text: str) -> float | None:
    """The finite number that a text is, or None. Underscores, which float() skips, make it none."""
    try:
        value = float(text.replace("_", "?"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None
