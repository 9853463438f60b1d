"""Benchmark tables: a CSV file with the columns of the published benchmark, one figure a line."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from mistral7b.capacity.text_file import read_text
from mistral7b.errors import UserError
from mistral7b.yamlfile import reason_and_fix

Metric = Literal["throughput_tokens_per_s", "p50_latency_ms_per_token"]
COLUMNS = ("metric", "input_words", "output_tokens", "concurrent_users", "value")

MAX_BYTES = 1_000_000
"""Some 20,000 figures: a benchmark has 40, so a larger file is another file."""

_Count = Annotated[int, Field(ge=1, le=100_000)]
_HEADER = ",".join(COLUMNS)


@dataclass(frozen=True, slots=True, order=True)
class Row:
    """One load of a benchmark."""

    input_words: _Count
    output_tokens: _Count
    concurrent_users: _Count


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a load."""

    row: Row
    metric: Metric
    value: Annotated[float, Field(gt=0, allow_inf_nan=False)]


_FIGURE = TypeAdapter(Figure)


def published_path() -> Path:
    """The published benchmark of Mistral 7B Instruct on one ml.g5.2xlarge with TGI 1.1: 40 figures of 20 loads."""
    return Path(str(files("mistral7b.capacity").joinpath("published_benchmark_ml_g5_2xlarge_tgi_1_1.csv")))


def read_measurements(path: Path) -> tuple[Figure, ...]:
    """The figures of a file, in its order. Raises UserError if it cannot be read or is no benchmark table."""
    text = read_text(path, MAX_BYTES, f"give a CSV file with the columns {_HEADER}")
    seen: dict[tuple[Row, Metric], int] = {}
    figures = []
    try:
        lines = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = [name.strip() for name in next(lines, [])]
        if sorted(names) != sorted(COLUMNS):
            raise UserError(
                f"{path}, line 1: the columns are {','.join(names) or 'missing'}\nfix: they have to be {_HEADER}"
            )
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}, line {lines.line_num}"
            if len(cells) != len(names):
                raise UserError(f"{where}: {len(cells)} values instead of {len(names)}\nfix: give one a column")
            figure = _figure(where, dict(zip(names, (cell.strip() for cell in cells), strict=True)))
            first = seen.setdefault((figure.row, figure.metric), lines.line_num)
            if first != lines.line_num:
                raise UserError(f"{where}: the same load and metric as line {first}\nfix: keep one of them")
            figures.append(figure)
    except csv.Error as error:
        raise UserError(f"{path}: not CSV: {error}") from None
    if not figures:
        raise UserError(f"{path} has a header and no figures\nfix: add one a line")
    return tuple(figures)


def _figure(where: str, cells: dict[str, str]) -> Figure:
    row = {name: cells[name] for name in COLUMNS[1:4]}
    try:
        return _FIGURE.validate_python({"row": row, "metric": cells["metric"], "value": cells["value"]})
    except ValidationError as error:
        wrong = error.errors()[0]
        reason, fix = reason_and_fix(wrong)
        what = f"{where}, column {wrong['loc'][-1]}: {str(wrong['input'])[:40]!r}"
        raise UserError(f"{what}: {reason}\nfix: {fix}") from None


def rows(figures: tuple[Figure, ...]) -> Iterator[Row]:
    """The loads of a table, each once, in its order."""
    yield from dict.fromkeys(figure.row for figure in figures)
