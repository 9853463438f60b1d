"""Benchmark tables: a CSV file with the columns of the published benchmark, one figure a line."""

import csv
import math
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal, TextIO, get_args

from mistral7b.errors import UserError

Metric = Literal["throughput_tokens_per_s", "p50_latency_ms_per_token"]
COLUMNS = ("metric", "input_words", "output_tokens", "concurrent_users", "value")

MAX_BYTES = 1_000_000
"""Some 20,000 figures: a benchmark has 40, so a larger file is another file."""

_MOST = {"input_words": 100_000, "output_tokens": 100_000, "concurrent_users": 100_000}


class MeasurementsError(UserError, ValueError):
    """The file is no benchmark table. The message names file, line, column, value and fix."""


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One load of a benchmark."""

    input_words: int
    output_tokens: int
    concurrent_users: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a load."""

    row: Row
    metric: Metric
    value: float


def published_path() -> Path:
    """The published benchmark of Mistral 7B Instruct on one ml.g5.2xlarge with TGI 1.1: 40 figures of 20 loads."""
    return Path(str(files("mistral7b.capacity").joinpath("published_benchmark_ml_g5_2xlarge_tgi_1_1.csv")))


def read_measurements(path: Path) -> tuple[Figure, ...]:
    """The figures of a file, in its order.

    Raises:
        MeasurementsError: it cannot be read or is no benchmark table.
    """
    try:
        if not path.is_file():
            raise MeasurementsError(f"{path}: there is no such file; give a CSV file with the columns {_header()}")
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise MeasurementsError(
                f"{path} has {size:,} bytes, and a benchmark table {MAX_BYTES:,} at most; is it the right file?"
            )
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _figures(path, file)
    except UnicodeDecodeError as error:
        raise MeasurementsError(f"{path}: no text in UTF-8 ({error.reason}); save it as a CSV file") from None
    except csv.Error as error:
        raise MeasurementsError(f"{path}: no CSV: {error}") from None
    except OSError as error:
        raise MeasurementsError(f"{path}: cannot be read: {error.strerror}") from None


def _figures(path: Path, file: TextIO) -> tuple[Figure, ...]:
    lines = csv.reader(file, strict=True)
    header = next(lines, None)
    if header is None:
        raise MeasurementsError(f"{path} is empty; the first line has to be {_header()}")
    names = [name.strip() for name in header]
    if sorted(names) != sorted(COLUMNS):
        raise MeasurementsError(f"{path}, line 1: the columns are {','.join(names)}; they have to be {_header()}")
    seen: dict[tuple[Row, Metric], int] = {}
    figures = []
    for cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        where = f"{path}, line {lines.line_num}"
        if len(cells) != len(names):
            raise MeasurementsError(f"{where}: {len(cells)} values instead of {len(names)}; give one a column")
        figure = _figure(where, dict(zip(names, (cell.strip() for cell in cells), strict=True)))
        first = seen.setdefault((figure.row, figure.metric), lines.line_num)
        if first != lines.line_num:
            raise MeasurementsError(f"{where}: the same load and metric as line {first}; keep one of them")
        figures.append(figure)
    if not figures:
        raise MeasurementsError(f"{path} has a header and no figures; add one a line")
    return tuple(figures)


def _figure(where: str, cells: dict[str, str]) -> Figure:
    metrics: dict[str, Metric] = {metric: metric for metric in get_args(Metric)}
    metric = metrics.get(cells["metric"])
    if metric is None:
        raise _wrong(where, "metric", cells, f"one of {', '.join(metrics)}")
    numbers = {name: _count(where, name, cells) for name in COLUMNS[1:4]}
    try:
        value = float(cells["value"])
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise _wrong(where, "value", cells, "a number above 0")
    return Figure(Row(**numbers), metric, value)


def _count(where: str, name: str, cells: dict[str, str]) -> int:
    text = cells[name]
    # int() alone would read 1_0 and take its time with a million digits.
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= _MOST[name]):
        raise _wrong(where, name, cells, f"a whole number from 1 to {_MOST[name]}")
    return int(text)


def _wrong(where: str, column: str, cells: dict[str, str], expected: str) -> MeasurementsError:
    value = cells[column] if len(cells[column]) <= 40 else cells[column][:40] + "…"
    return MeasurementsError(f"{where}, column {column}: {value!r} is not {expected}")


def _header() -> str:
    return ",".join(COLUMNS)


def rows(figures: tuple[Figure, ...]) -> Iterator[Row]:
    """The loads of a table, each once, in its order."""
    yield from dict.fromkeys(figure.row for figure in figures)
