"""What is wrong with a file, in words that say how to fix it."""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mistral7b.errors import UserError

FieldPath = tuple[str | int, ...]

# Beyond these a message hides what it says: the rest is counted.
_SHOWN_PROBLEMS = 50
_SHOWN_VALUE = 80
_SHOWN_TEXT = 1000
_SHOWN_CHARACTERS = 3


@dataclass(frozen=True)
class Problem:
    """One thing wrong: where (file, line, field), what (value, reason) and how to fix it."""

    file: str
    line: int | None
    field: str
    value: Any
    reason: str
    fix: str

    def __str__(self) -> str:
        file = _printable(self.file)
        where = file if self.line is None else f"{file}:{self.line}"
        value = "" if self.value is None else f" = {_cut(repr(self.value), _SHOWN_VALUE)}"
        head = f"{where}: {_printable(self.field, 2 * _SHOWN_VALUE)}{value}"
        return f"{head}{self._lookalikes()}\n    {_printable(self.reason)}\n    fix: {_printable(self.fix)}"

    def _lookalikes(self) -> str:
        """Names the characters beyond ASCII, since a Cyrillic a looks like a Latin one."""
        text = self.field + (self.value if isinstance(self.value, str) else "")
        beyond = [c for c in dict.fromkeys(text) if not c.isascii()][:_SHOWN_CHARACTERS]
        names = ", ".join(f"U+{ord(c):04X} {unicodedata.name(c, '')}".strip() for c in beyond)
        return f"\n    (it has {names})" if names else ""


def unique(problems: Iterable[Problem]) -> list[Problem]:
    """Each problem once: what is wrong with a file that others are laid over shows in each of them."""
    return list({(p.file, p.line, p.field, p.reason, p.fix): p for p in problems}.values())


def dotted(path: FieldPath) -> str:
    """`("network", "zones", 0)` as `network.zones[0]`; a name that would be read otherwise in quotes."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            plain = part and part.isprintable() and part == part.strip() and not set(part) & set(".[]'\"")
            text += f"{'.' if text else ''}{part if plain else repr(part)}"
    return text


def overlap(a: FieldPath, b: FieldPath) -> bool:
    """Whether one field is the other, or inside it."""
    shorter = min(len(a), len(b))
    return a[:shorter] == b[:shorter]


class FileProblemsError(UserError):
    """Every problem of one or more files, in one message."""

    def __init__(self, problems: Sequence[Problem], files: str) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        lines = [str(p) for p in self.problems[:_SHOWN_PROBLEMS]]
        if len(problems) > _SHOWN_PROBLEMS:
            lines.append(f"… and {len(problems) - _SHOWN_PROBLEMS} more")
        super().__init__(f"{count} in {files}\n\n" + "\n".join(lines))


def _printable(text: str, width: int = _SHOWN_TEXT) -> str:
    """The text with what a terminal would obey or reorder escaped, as Python writes it."""
    return _cut("".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text[:width]), width)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
