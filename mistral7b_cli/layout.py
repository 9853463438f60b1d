"""Text and tables in the width of a terminal: no word, name or command is ever cut in two."""

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions
from rich.segment import Segment
from rich.table import Table as RichTable
from rich.text import Text

# What stays on one line: pasted in two pieces, a command is two commands. Chinese is broken between any two letters.
_WORD = re.compile(r'[\u2e80-\uff60]|(?<=: )(?:aws|cdk|mistral7b) .*|(?:`[^`]*`|eval "[^"]*"|[^\s\u2e80-\uff60])+')
_COMMAND = re.compile(r" *(?:fix: )?(?:\$|aws|cdk|eval|export|mistral7b|unset|[A-Z][A-Z0-9_]*=\S*) ")
_LAST_COLUMN = re.compile(r".*\S {2,}(?=\S)|")
_SHORTEST = 32
"""Characters that a line which goes on has room for."""
_GAP = 2
"""Spaces between the columns of a table."""


def wrapped(line: Text, width: int) -> Text:
    """A line broken between words, unless it is a command; it goes on below its last column, or its first word."""
    plain, cuts = line.plain, list[int]()
    hang = _LAST_COLUMN.match(plain).end()  # type: ignore[union-attr]  # which matches every line
    if not hang or width - hang < _SHORTEST:
        hang = len(plain) - len(plain.lstrip())
    start = hang
    for word in () if _COMMAND.match(plain) else _WORD.finditer(plain, hang):
        if word.start() > start and cell_len(plain[start : word.end()]) > width - hang:
            start = word.start()
            cuts.append(start)
    parts = line.divide(cuts)
    for part in parts:
        part.rstrip()
    return Text("\n" + " " * hang).join(parts)


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
        columns = list(zip(*rows, strict=True))
        widest = [max(cell_len(line) for cell in column for line in cell.plain.split("\n")) for column in columns]
        least = [max(cell_len(w) for cell in column for w in _WORD.findall(cell.plain) or [""]) for column in columns]
        if 2 * widest[0] <= room:
            least[0] = widest[0]
        others = list(range(1, len(columns)))
        while others:
            places = [0, others.pop(0)]
            while others and sum(least[place] + _GAP for place in (*places, others[0])) - _GAP <= room:
                places.append(others.pop(0))
            widths = {place: widest[place] for place in places}
            while sum(widths.values()) + _GAP * (len(widths) - 1) > room:
                place = max(places, key=lambda one: (widths[one] > least[one], widths[one]))
                if widths[place] <= least[place]:
                    break  # a terminal breaks such lines where it has to
                widths[place] -= 1
            made = RichTable(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, _GAP - 1, 0, 0), pad_edge=False)
            for place in places:
                made.add_column(
                    rows[0][place],
                    justify="right" if self.numbers and place else "left",
                    overflow="fold",
                    width=widths[place],
                )
            for row in rows[1:]:
                made.add_row(*(row[place] for place in places))
            whole = options.update(max_width=sum(widths.values()) + _GAP * len(widths))
            for line in Segment.split_lines(console.render(made, whole)):
                text = Text.assemble(*((part.text, part.style or "") for part in line))
                text.rstrip()
                yield text
            yield Text()
