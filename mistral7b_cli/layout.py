"""Text and tables in the width of a terminal: no word, name or command is ever cut in two."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.table import Table as RichTable
from rich.text import Text

# What stays on one line. A command that is copied in two pieces is two commands.
_WORD = re.compile(r'(?:`[^`]*`|eval "[^"]*"|\S)+')
_COMMAND = re.compile(r"\s*(?:fix: )?(?:\$|aws|cdk|eval|export|mistral7b|unset|[A-Z][A-Z0-9_]*=\S*) ")
_LAST_COLUMN = re.compile(r".*\S {2,}(?=\S)")
_SHORTEST = 32
"""Characters that the continuation of a line has room for."""
_GAP = 2
"""Spaces between the columns of a table."""


def wrapped(line: Text, width: int) -> Text:
    """A line, broken between words where it is longer than `width`; it goes on below the beginning of its last column.

    Without columns, or where there is little room below the last, it goes on below its first word.
    """
    plain = line.plain
    if _COMMAND.match(plain):
        return line
    column, hang = _LAST_COLUMN.match(plain), len(plain) - len(plain.lstrip())
    if column is not None and width - column.end() >= _SHORTEST:
        hang = column.end()
    cuts, start = list[int](), 0
    for word in _WORD.finditer(plain):
        room = width - (hang if cuts else 0)
        if word.start() > max(start, hang) and cell_len(plain[start : word.end()]) > room:
            cuts.append(start := word.start())
    parts = [Text(" " * hang if number else "").append_text(part) for number, part in enumerate(line.divide(cuts))]
    for part in parts[:-1]:
        part.rstrip()
    return Text("\n").join(parts)


@dataclass(frozen=True)
class Table:
    """A table. Columns that do not fit beside the first one follow below, again beside the first."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str | Text]]
    numbers: bool = False
    """Whether all columns but the first are figures."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        """Its lines, without spaces at their ends; where the output is no terminal, as long as they are."""
        if self.title:
            yield Text(f"{self.title}\n", "bold")
        room = options.max_width if console.is_terminal else sys.maxsize
        rows = [[Text(cell) if isinstance(cell, str) else cell for cell in row] for row in (self.headings, *self.rows)]
        for columns in _side_by_side([_Column(column) for column in zip(*rows, strict=True)], room):
            made = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, _GAP - 1, 0, 0), pad_edge=False)
            for place, column in enumerate(columns):
                justify = "right" if self.numbers and place else "left"
                made.add_column(column.cells[0], justify=justify, width=column.width, overflow="fold")
            for row in zip(*(column.cells[1:] for column in columns), strict=True):
                made.add_row(*row)
            whole = options.update(max_width=_width(columns) + _GAP)
            for line in console.render_lines(made, whole, pad=False):
                text = Text.assemble(*((part.text, part.style or "") for part in line))
                text.rstrip()
                yield text
            yield Text()


class _Column:
    def __init__(self, cells: Sequence[Text]) -> None:
        self.cells = cells
        self.width = max(cell_len(line) for cell in cells for line in cell.plain.split("\n"))
        words = (word for cell in cells for word in cell.plain.split())
        # Chinese text, whose letters are two columns wide, is broken anywhere.
        self.least = max((len(word) for word in words if len(word) == cell_len(word)), default=1)


def _width(columns: Sequence[_Column]) -> int:
    return sum(column.width for column in columns) + _GAP * (len(columns) - 1)


def _side_by_side(columns: list[_Column], room: int) -> Iterator[list[_Column]]:
    """The columns in groups that fit, each with the first column; those with the most room to spare are narrowed."""
    first, *others = columns
    if 2 * first.width <= room:
        first.least = first.width
    while others:
        group = [first, others.pop(0)]
        while others and sum(one.least + _GAP for one in (*group, others[0])) - _GAP <= room:
            group.append(others.pop(0))
        while _width(group) > room and (wider := [one for one in group if one.width > one.least]):
            max(wider, key=lambda one: one.width).width -= 1
        yield group
