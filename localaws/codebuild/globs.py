"""The patterns of buildspecs: `**/*`, `cdk.out/**/*`, `*.json`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path


def matches(path: str, pattern: str) -> bool:
    """Whether a file's path, relative and with `/`, fits a pattern.

    `*` stands for any characters but `/`, `?` for one of them, and a part `**` for any number of folders, or none.
    """
    return _compiled(_plain(pattern)).fullmatch(path) is not None


def files(folder: Path, patterns: Iterable[str]) -> Iterator[Path]:
    """The files below a folder that fit one of the patterns, in order of their names, links to files included."""
    wanted = list(patterns)
    for path in sorted(folder.rglob("*")):
        if path.is_file() and any(matches(path.relative_to(folder).as_posix(), one) for one in wanted):
            yield path


def whole_folder(pattern: str) -> str | None:
    """The folder of which a pattern takes everything, such as `.venv` for `.venv/**/*`; None for another pattern."""
    parts = _plain(pattern).split("/")
    while len(parts) > 1 and parts[-1] in ("*", "**") and "**" in parts:
        parts.pop()
    plain = "/".join(parts)
    return plain if plain != _plain(pattern) and not set("*?") & set(plain) else None


def _plain(pattern: str) -> str:
    return pattern.removeprefix("./").rstrip("/")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    expression = ""
    parts = pattern.split("/")
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if part == "**":
            expression += ".+" if last else "(?:[^/]+/)*"
        else:
            one = {"*": "[^/]*", "?": "[^/]"}
            expression += "".join(one.get(character, re.escape(character)) for character in part) + "/" * (not last)
    return re.compile(expression, re.DOTALL)
