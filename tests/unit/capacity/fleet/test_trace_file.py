"""Traces from CSV files, right and wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mistral7b.capacity.fleet import trace as module
from mistral7b.capacity.fleet.trace import Trace, read_trace
from mistral7b.errors import UserError

Read = Callable[[str | bytes], Trace]

HEADER = "time_s,input_tokens,output_tokens\n"


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads a trace from a file with this text."""

    def make(text: str | bytes) -> Trace:
        file = tmp_path / "trace.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_trace(file, 1000, 1200)

    return make


def test_a_trace_is_read_in_order(read: Read) -> None:
    trace = read(HEADER + "0.5,10,20\n\n1,30,40\r\n 2.25 , 50 , 60 \n")
    assert trace.times.tolist() == [0.5, 1.0, 2.25]
    assert trace.inputs.tolist() == [10, 30, 50]
    assert trace.outputs.tolist() == [20, 40, 60]
    assert trace.duration_s == 3.0


def test_a_last_line_without_its_end_counts(read: Read) -> None:
    assert read(HEADER + "0,1,1\n7,2,2").times.tolist() == [0.0, 7.0]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["the file is empty", f"begin it with the line {HEADER.strip()}"]),
        (HEADER, ["holds no request"]),
        ("a,b,c\n1,2,3\n", ["trace.csv:1", "a,b,c", "not the header"]),
        (HEADER + "1,2,3\n1,x,3\n", ["trace.csv:3", "input_tokens = x", "not a finite number"]),
        (HEADER + "1,2\n", ["trace.csv:2", "2 columns, not 3"]),
        (HEADER + "1,2,3,4\n", ["trace.csv:2", "4 columns, not 3"]),
        (HEADER + "1,2,3\n\n0.5,2,3\n", ["trace.csv:4", "time_s = 0.5", "earlier than the line before"]),
        (HEADER + "-1,2,3\n", ["trace.csv:2", "time_s = -1", "0 or more"]),
        (HEADER + "nan,2,3\n", ["trace.csv:2", "time_s = nan", "not a finite number"]),
        (HEADER + "1,2,inf\n", ["trace.csv:2", "output_tokens = inf", "not a finite number"]),
        (HEADER + "1,1_0,3\n", ["trace.csv:2", "input_tokens = 1_0", "not a finite number"]),
        (HEADER + "1,2.5,3\n", ["trace.csv:2", "input_tokens = 2.5", "whole number"]),
        (HEADER + "1,0,3\n", ["trace.csv:2", "input_tokens = 0", "1 or more"]),
        (HEADER + "1,2,-3\n", ["trace.csv:2", "output_tokens = -3", "1 or more"]),
        (HEADER + "1,1001,3\n", ["trace.csv:2", "input_tokens = 1001", "MAX_INPUT_LENGTH, which is 1000"]),
        (HEADER + "1,900,301\n", ["trace.csv:2", "output_tokens = 301", "MAX_TOTAL_TOKENS, which is 1200"]),
        (HEADER + "1e9,2,3\n", ["trace.csv:2", "time_s = 1e9", "31 days"]),
        (HEADER + "1" * 5000, ["longer than 4096 characters"]),
        (HEADER.encode() + b"\xff\xfe,2,3\n", ["trace.csv:2", "not a finite number"]),
    ],
)
def test_a_wrong_trace_is_refused_by_line_column_and_value(read: Read, text: str | bytes, parts: list[str]) -> None:
    with pytest.raises(UserError) as refused:
        read(text)
    assert all(part in str(refused.value) for part in [*parts, "fix:"]), str(refused.value)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_trace(tmp_path / "none.csv", 10, 10)


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a regular file"):
        read_trace(tmp_path, 10, 10)


def test_more_requests_than_fit_into_memory_are_refused_before_they_are_all_read(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_REQUESTS", 5)
    with pytest.raises(UserError, match=r"more than 5 requests(.|\n)*busiest hour"):
        read(HEADER + "1,2,3\n" * 6)


def test_a_binary_file_without_lines_is_refused_after_its_first_bytes(tmp_path: Path) -> None:
    file = tmp_path / "huge.csv"
    with file.open("wb") as stream:
        stream.write(HEADER.encode())
        stream.truncate(10 * 2**30)  # sparse: 10 GB that take no room
    with pytest.raises(UserError, match="longer than 4096 characters"):
        read_trace(file, 10, 10)


@settings(max_examples=50)
@given(
    rows=st.lists(st.tuples(st.floats(0, 1e5), st.integers(1, 1000), st.integers(1, 200)), min_size=1, max_size=40).map(
        sorted
    )
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, int, int]]
) -> None:
    file = tmp_path_factory.mktemp("traces") / "trace.csv"
    file.write_text(HEADER + "".join(f"{time!r},{prompt},{answer}\n" for time, prompt, answer in rows))
    trace = read_trace(file, 1000, 1200)
    assert list(zip(trace.times, trace.inputs, trace.outputs, strict=True)) == rows
    assert np.isclose(trace.duration_s, np.floor(rows[-1][0]) + 1)
