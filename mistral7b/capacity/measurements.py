"""Measurements as CSV files of two kinds.

A *table* has the columns of the published benchmark, one figure a line. *Runs* have columns of FMBench's results,
one run a line, with means over its requests; other columns are kept as they are. A report of `mistral7b bench` has
runs, too.
"""

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from mistral7b.capacity.text_file import read_text
from mistral7b.errors import UserError
from mistral7b.yamlfile import reason_and_fix

Metric = Literal["throughput_tokens_per_s", "p50_latency_ms_per_token"]
COLUMNS = ("metric", "input_words", "output_tokens", "concurrent_users", "value")

MAX_BYTES = 1_000_000
"""Some 20,000 figures: a benchmark has 40, so a larger file is another file."""

_Count = Annotated[int, Field(ge=1, le=100_000)]
_Mean = Annotated[float, Field(ge=1, le=100_000)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


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
    value: _Positive


@dataclass(frozen=True, slots=True)
class Run:
    """`requests` requests, `concurrency` of them sent at once, and the means over them. None: there is no column."""

    concurrency: Annotated[int, Field(ge=1, le=1000)]
    prompt_tokens_mean: _Mean
    completion_tokens_mean: _Mean
    latency_mean_s: _Positive
    completion_tokens_per_s: _Positive | None = None
    requests: _Count | None = None
    errors: Annotated[int, Field(ge=0)] | None = None
    payload: str | None = None
    """Runs of one payload send prompts of one distribution."""
    cells: dict[str, str] = field(default_factory=dict, compare=False)
    """The line as it is in the file, by column."""

    def columns(self) -> dict[str, Any]:
        """The file's columns, or a report's, with values in place of texts where they are known."""
        cells = self.cells or dict.fromkeys(RUN_COLUMNS, "")
        return {name: getattr(self, name) if name in RUN_COLUMNS else cell for name, cell in cells.items()}


RUN_COLUMNS = tuple(field.name for field in fields(Run))[:-1]
_REQUIRED = RUN_COLUMNS[:4]

_FIGURE, _RUN = TypeAdapter(Figure), TypeAdapter(Run)
_RUNS = TypeAdapter(Annotated[list[Run], Field(min_length=1)])


def published_path() -> Path:
    """The published benchmark of Mistral 7B Instruct on one ml.g5.2xlarge with TGI 1.1: 40 figures of 20 loads."""
    return Path(str(files("mistral7b.capacity").joinpath("published_benchmark_ml_g5_2xlarge_tgi_1_1.csv")))


@cache
def published_figures() -> tuple[Figure, ...]:
    """The figures of the published benchmark."""
    return read_measurements(published_path())


def read_measurements(path: Path) -> tuple[Figure, ...]:
    """The figures of a table, in its order. Raises UserError if it cannot be read or is no such table."""
    return read_either(path, runs=False)[0]


def read_either(path: Path, *, table: bool = True, runs: bool = True) -> tuple[tuple[Figure, ...], tuple[Run, ...]]:
    """The figures of a table, or the runs of a file of runs. Raises UserError if it cannot be read or is neither."""
    kinds = [",".join(COLUMNS)] * table + [f"{','.join(_REQUIRED)}[,{'][,'.join(RUN_COLUMNS[4:])}]"] * runs
    columns = " or ".join(kinds)
    text = read_text(path, MAX_BYTES, f"give a CSV file with the columns {columns}")
    if runs and text[:1] == "{":
        with suppress(ValueError, LookupError):
            return (), tuple(_RUNS.validate_python(json.loads(text)["runs"]))
        raise UserError(f"{path}: no report of mistral7b bench with a whole load\nfix: give one, or {columns}")
    seen: dict[tuple[Row, Metric], int] = {}
    found_figures, found_runs = [], []
    lines = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        names = [name.strip() for name in next(lines, [])]
        has_runs = runs and set(_REQUIRED) <= set(names) and len(names) == len(set(names))
        if not has_runs and not (table and sorted(names) == sorted(COLUMNS)):
            given = ",".join(names) or "missing"
            raise UserError(f"{path}, line 1: the columns are {given}\nfix: they have to be {columns}")
        for cells in lines:
            if not any(cell.strip() for cell in cells):
                continue
            where = f"{path}, line {lines.line_num}"
            if len(cells) != len(names):
                raise UserError(f"{where}: {len(cells)} values instead of {len(names)}\nfix: give one a column")
            values = dict(zip(names, (cell.strip() for cell in cells), strict=True))
            if has_runs:
                known = {name: values[name] for name in RUN_COLUMNS if values.get(name) or name in _REQUIRED}
                found_runs.append(_RUN.validate_python({**known, "cells": values}))
                continue
            row = {name: values[name] for name in COLUMNS[1:4]}
            figure = _FIGURE.validate_python({"row": row, "metric": values["metric"], "value": values["value"]})
            first = seen.setdefault((figure.row, figure.metric), lines.line_num)
            if first != lines.line_num:
                raise UserError(f"{where}: the same load and metric as line {first}\nfix: keep one of them")
            found_figures.append(figure)
    except csv.Error as error:
        raise UserError(f"{path}: not CSV: {error}") from None
    except ValidationError as error:
        wrong = error.errors()[0]
        reason, fix = reason_and_fix(wrong)
        what = f"{path}, line {lines.line_num}, column {wrong['loc'][-1]}: {str(wrong['input'])[:40]!r}"
        raise UserError(f"{what}: {reason}\nfix: {fix}") from None
    if not found_figures and not found_runs:
        raise UserError(f"{path} has a header and no {'runs' if has_runs else 'figures'}\nfix: add one a line")
    return tuple(found_figures), tuple(found_runs)


def rows(figures: tuple[Figure, ...]) -> Iterator[Row]:
    """The loads of a table, each once, in its order."""
    yield from dict.fromkeys(figure.row for figure in figures)
