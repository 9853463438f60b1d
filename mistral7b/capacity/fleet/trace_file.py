"""Traces from CSV files, checked line by line."""

import itertools
import math
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mistral7b.capacity.fleet.chunks import Chunk, TraceError, finite, numbered_lines
from mistral7b.capacity.fleet.durations import LONGEST_S

COLUMNS = ("time_s", "input_tokens", "output_tokens")
HEADER = ",".join(COLUMNS)

_CHUNK_REQUESTS = 100_000


@dataclass(eq=False)
class TraceFile:
    """A CSV file of requests: a header `time_s,input_tokens,output_tokens`, then a request a line, by time.

    Attributes:
        file: The file.
        max_input_tokens: Longest prompt that the container takes (MAX_INPUT_LENGTH).
        max_total_tokens: Longest prompt and answer together (MAX_TOTAL_TOKENS).
    """

    file: Path
    max_input_tokens: int
    max_total_tokens: int
    _last_s: float = field(default=-1.0, init=False)  # the last request's time, once the file has been read to its end

    @property
    def duration_s(self) -> float:
        """The last request's time in seconds, rounded up. Reads the file unless that has been done.

        Raises TraceError as `chunks` does.
        """
        if self._last_s < 0:
            deque(self.chunks(), maxlen=0)
        return math.floor(self._last_s) + 1.0

    def chunks(self) -> Iterator[Chunk]:
        """The requests in order, 100,000 at a time.

        Raises:
            TraceError: the file cannot be read, is empty, lacks the header, or a line is not three numbers, is out of
                order, or holds a request that the container refuses.
        """
        lines = numbered_lines(self.file)
        number, header = next(lines, (0, ""))
        if not header:
            raise TraceError("the file is empty", f"begin it with the line {HEADER}", file=self.file)
        if [part.strip() for part in header.split(",")] != list(COLUMNS):
            fix = f"make the first line {HEADER}"
            raise TraceError(
                "it is not the header of a trace", fix, file=self.file, line=number, column="header", value=header[:60]
            )
        requests = self._requests(lines)
        last = -1.0
        while rows := list(itertools.islice(requests, _CHUNK_REQUESTS)):
            times, inputs, outputs = np.array(rows).T
            last = rows[-1][0]
            yield Chunk(times, inputs.astype(np.int64), outputs.astype(np.int64))
        if last < 0:
            fix = "add lines such as 0.5,300,120 below the header"
            raise TraceError("the file holds no request", fix, file=self.file)
        self._last_s = last

    def _requests(self, lines: Iterator[tuple[int, str]]) -> Iterator[tuple[float, float, float]]:
        """Time, prompt and answer of each line. A quick check: `_error` looks for what is wrong."""
        last = 0.0
        for number, text in lines:
            try:
                time, prompt, answer = map(float, text.split(","))
            except ValueError:
                raise self._error(number, text, last) from None
            if not (
                last <= time <= LONGEST_S
                and 1 <= prompt <= self.max_input_tokens
                and 1 <= answer <= self.max_total_tokens - prompt
                and prompt % 1 == answer % 1 == 0
                and "_" not in text  # which float() skips
            ):
                raise self._error(number, text, last)
            yield time, prompt, answer
            last = time

    def _error(self, number: int, text: str, last: float) -> TraceError:
        """What is wrong with a line."""
        fix = f"write {HEADER}, such as 0.5,300,120"
        cells = [cell.strip() for cell in text.split(",")]
        if len(cells) != len(COLUMNS):
            reason = f"the line has {len(cells)} columns, not {len(COLUMNS)}"
            return TraceError(reason, fix, file=self.file, line=number, column="line", value=text[:60])
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
                    prompt > self.max_input_tokens,
                    f"the container refuses prompts above MAX_INPUT_LENGTH, which is {self.max_input_tokens}",
                    "shorten the prompt, or simulate an environment with a larger limit",
                    1,
                ),
                (
                    True,
                    f"prompt and answer are above MAX_TOTAL_TOKENS, which is {self.max_total_tokens}",
                    "shorten the answer, or simulate an environment with a larger limit",
                    2,
                ),
            )
            if found[0]
        )
        return TraceError(reason, fix, file=self.file, line=number, column=COLUMNS[place], value=cells[place][:40])
