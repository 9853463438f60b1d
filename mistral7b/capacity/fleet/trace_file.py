"""Traces from CSV files of any size: read in blocks, checked, with errors by line and column."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mistral7b.capacity.fleet.chunks import Chunk, Floats, TraceError
from mistral7b.capacity.fleet.durations import LONGEST_S

COLUMNS = ("time_s", "input_tokens", "output_tokens")
HEADER = ",".join(COLUMNS)

_BLOCK_BYTES = 16 * 1024 * 1024
_LONGEST_LINE_BYTES = 4096


@dataclass(frozen=True, eq=False)
class TraceFile:
    """A CSV file of requests: a header `time_s,input_tokens,output_tokens`, then a request a line, by time.

    It is read in blocks of 16 MiB, so a file of any size needs little memory.

    Attributes:
        file: The file.
        max_input_tokens: Longest prompt that the container takes (MAX_INPUT_LENGTH).
        max_total_tokens: Longest prompt and answer together (MAX_TOTAL_TOKENS).
    """

    file: Path
    max_input_tokens: int
    max_total_tokens: int

    @property
    def duration_s(self) -> float:
        """The last request's time in seconds, rounded up; by the file's last line, else by reading it all.

        Raises:
            TraceError: as `chunks`.
        """
        last = _last_time(self.file)
        if last is None:
            last = max(float(chunk.times[-1]) for chunk in self.chunks())
        return math.floor(last) + 1.0

    def chunks(self) -> Iterator[Chunk]:
        """The requests in order, a block of the file at a time.

        Raises:
            TraceError: the file cannot be read, is empty, lacks the header, or a line is not three numbers, is out of
                order, or holds a request that the container refuses.
        """
        last, line, requests = 0.0, 2, 0
        for block in _blocks(self.file):
            rows = _parse(self.file, block, line)
            self._check(rows, last, block, line)
            if rows.size:
                last = float(rows[-1, 0])
                requests += len(rows)
                yield Chunk(rows[:, 0].copy(), rows[:, 1].astype(np.int64), rows[:, 2].astype(np.int64))
            line += block.count(b"\n")
        if requests == 0:
            raise TraceError(
                "the file holds no request", "add lines such as 0.5,300,120 below the header", file=self.file
            )

    def _check(self, rows: Floats, last: float, block: bytes, line: int) -> None:
        if not rows.size:
            return
        finite: npt.NDArray[np.bool_] = np.logical_and.reduce(np.isfinite(rows), axis=1)
        times, inputs, outputs = np.where(finite[:, None], rows, 0.0).T  # what is not finite is told of first
        previous = np.concatenate([[last], times[:-1]])
        tests = (
            (~finite, 0, "it is not a finite number", "write numbers such as 0.5,300,120"),
            (times < 0, 0, "a time is 0 or more seconds from the start", "count from the first request"),
            (times > LONGEST_S, 0, "a trace covers 31 days at most", "cut the file into parts"),
            (times < previous, 0, "it is earlier than the line before", "sort the file by time_s"),
            ((inputs < 1) | (inputs % 1 != 0), 1, "a prompt is a whole number of tokens, 1 or more", "count them"),
            ((outputs < 1) | (outputs % 1 != 0), 2, "an answer is a whole number of tokens, 1 or more", "count them"),
            (
                inputs > self.max_input_tokens,
                1,
                f"the container refuses prompts above MAX_INPUT_LENGTH, which is {self.max_input_tokens}",
                "shorten the prompt, or simulate an environment with a larger limit",
            ),
            (
                inputs + outputs > self.max_total_tokens,
                2,
                f"prompt and answer are above MAX_TOTAL_TOKENS, which is {self.max_total_tokens}",
                "shorten the answer, or simulate an environment with a larger limit",
            ),
        )
        for wrong, column, reason, fix in tests:
            if wrong.any():
                row = int(np.argmax(wrong))
                place, fields = _nth_line(block, row)
                at = column if finite[row] else int(np.argmax(~np.isfinite(rows[row])))
                raise TraceError(
                    reason, fix, file=self.file, line=line + place, column=COLUMNS[at], value=fields[at].strip()
                )


def _last_time(file: Path) -> float | None:
    """The time in the file's last line; None if that is no request, which reading the file then tells."""
    if not file.is_file():
        return None
    try:
        with file.open("rb") as stream:
            stream.seek(0, io.SEEK_END)
            stream.seek(max(0, stream.tell() - _LONGEST_LINE_BYTES))
            last = stream.read().rstrip().rpartition(b"\n")[2]
        time = float(last.split(b",")[0])
    except (OSError, ValueError):
        return None
    return time if 0 <= time <= LONGEST_S else None


def _blocks(file: Path) -> Iterator[bytes]:
    """The lines below the header, in blocks of whole lines."""
    if file.exists() and not file.is_file():
        raise TraceError("it is not a regular file, and a trace is read twice", "write it to a file first", file=file)
    try:
        with file.open("rb") as stream:
            _check_header(file, stream.readline(_LONGEST_LINE_BYTES))
            rest = b""
            while data := stream.read(_BLOCK_BYTES):
                end = data.rfind(b"\n") + 1
                if end:
                    yield rest + data[:end]
                    rest = b""
                rest += data[end:]
                if len(rest) > _LONGEST_LINE_BYTES:
                    raise TraceError(
                        f"a line is longer than {_LONGEST_LINE_BYTES} bytes", "write one request a line", file=file
                    )
            if rest:
                yield rest + b"\n"
    except OSError as error:
        raise TraceError(
            f"the file cannot be read: {error.strerror}", "give the path of a CSV file", file=file
        ) from None


def _check_header(file: Path, line: bytes) -> None:
    text = line.decode("utf-8-sig", errors="replace").strip()
    if not text:
        raise TraceError("the file is empty", f"begin it with the line {HEADER}", file=file)
    if [part.strip() for part in text.split(",")] != list(COLUMNS):
        raise TraceError(
            "it is not the header of a trace", f"make the first line {HEADER}", file=file, line=1, column="header",
            value=text[:60],
        )  # fmt: skip


def _parse(file: Path, block: bytes, line: int) -> Floats:
    """The block's numbers, shape (lines, 3)."""
    if not block.strip():
        return np.empty((0, 3))
    try:
        rows = np.loadtxt(io.BytesIO(block), delimiter=",", ndmin=2, comments=None, encoding="utf-8")
        if rows.shape[1] == len(COLUMNS):
            return rows
    except ValueError:
        pass  # the search below tells which line it was
    raise _unreadable(file, block, line)


def _unreadable(file: Path, block: bytes, line: int) -> TraceError:
    """The error of the first line that is not three numbers."""
    fix = f"write {HEADER}, such as 0.5,300,120"
    for offset, raw in enumerate(block.split(b"\n")):
        fields = raw.decode("utf-8", errors="replace").strip().split(",")
        if fields == [""]:
            continue
        if len(fields) != len(COLUMNS):
            reason = f"the line has {len(fields)} columns, not {len(COLUMNS)}"
            return TraceError(reason, fix, file=file, line=line + offset, column="line", value=raw.decode()[:60])
        for column, value in zip(COLUMNS, fields, strict=True):
            try:
                float(value)
            except ValueError:
                return TraceError(
                    "it is not a number", fix, file=file, line=line + offset, column=column, value=value[:40]
                )
    return TraceError("the lines cannot be read as numbers", fix, file=file, line=line)


def _nth_line(block: bytes, row: int) -> tuple[int, list[str]]:
    """Offset and fields of the block's `row`-th line that is not blank."""
    filled = ((place, raw) for place, raw in enumerate(block.split(b"\n")) if raw.strip())
    place, raw = next(pair for number, pair in enumerate(filled) if number == row)
    return place, raw.decode("utf-8", errors="replace").split(",")
