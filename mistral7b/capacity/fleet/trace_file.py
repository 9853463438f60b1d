"""Reads traces from CSV files, and checks them line by line."""

import math
from array import array
from pathlib import Path

import numpy as np

from mistral7b.capacity.fleet.trace import LONGEST_S, MOST_REQUESTS, Trace, TraceError, finite, numbered_lines

COLUMNS = ("time_s", "input_tokens", "output_tokens")
HEADER = ",".join(COLUMNS)


def read_trace(file: Path, max_input_tokens: int, max_total_tokens: int) -> Trace:
    """Reads a CSV file of requests: a header `time_s,input_tokens,output_tokens`, then a request a line, by time.

    The trace lasts until the last request, rounded up to a second. The limits are the container's MAX_INPUT_LENGTH and
    MAX_TOTAL_TOKENS.

    Raises:
        TraceError: the file cannot be read, is empty, lacks the header, or a line is not three numbers, is out of
            order, or holds a request that the container refuses; or there are too many.
    """
    lines = numbered_lines(file)
    number, header = next(lines, (0, ""))
    if not header:
        raise TraceError("the file is empty", f"begin it with the line {HEADER}", file=file)
    if [part.strip() for part in header.split(",")] != list(COLUMNS):
        reason, fix = "it is not the header of a trace", f"make the first line {HEADER}"
        raise TraceError(reason, fix, file=file, line=number, column="header", value=header[:60])
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
            raise TraceError(reason, "cut the trace, for example to its busiest hour", file=file)
    if not numbers:
        raise TraceError("the file holds no request", "add lines such as 0.5,300,120 below the header", file=file)
    times, inputs, outputs = np.frombuffer(numbers).reshape(-1, 3).T
    return Trace(times, inputs.astype(np.int64), outputs.astype(np.int64), math.floor(times[-1]) + 1.0)


def _error(file: Path, number: int, text: str, last: float, limits: tuple[int, int]) -> TraceError:
    """What is wrong with a line that follows a request at `last` seconds."""
    max_input, max_total = limits
    fix = f"write {HEADER}, such as 0.5,300,120"
    cells = [cell.strip() for cell in text.split(",")]
    if len(cells) != len(COLUMNS):
        reason = f"the line has {len(cells)} columns, not {len(COLUMNS)}"
        return TraceError(reason, fix, file=file, line=number, column="line", value=text[:60])
    numbers = [finite(cell) for cell in cells]
    time, prompt, answer = (value or 0.0 for value in numbers)
    _, reason, fix, place = next(
        found
        for found in (
            *((value is None, "it is not a finite number", fix, at) for at, value in enumerate(numbers)),
            (time < 0, "a time is 0 or more seconds from the start", "count from the first request", 0),
            (time > LONGEST_S, "a trace covers 31 days at most", "cut the file into parts", 0),
            (time < last, "it is earlier than the line before", "sort the file by time_s", 0),
            (prompt < 1 or prompt % 1, "a prompt is a whole number of tokens, 1 or more", "count them", 1),
            (answer < 1 or answer % 1, "an answer is a whole number of tokens, 1 or more", "count them", 2),
            (
                prompt > max_input,
                f"the container refuses prompts above MAX_INPUT_LENGTH, which is {max_input}",
                "shorten the prompt, or simulate an environment with a larger limit",
                1,
            ),
            (
                True,
                f"prompt and answer are above MAX_TOTAL_TOKENS, which is {max_total}",
                "shorten the answer, or simulate an environment with a larger limit",
                2,
            ),
        )
        if found[0]
    )
    return TraceError(reason, fix, file=file, line=number, column=COLUMNS[place], value=cells[place][:40])
