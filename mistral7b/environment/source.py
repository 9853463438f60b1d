"""Reads YAML with the place of every value, and lays one file over another."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mistral7b.environment.problem import Problem

FieldPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where a value stands."""

    file: str
    line: int


@dataclass
class Source:
    """Values of one or more files, with the place each came from."""

    file: str
    values: dict[str, Any] = field(default_factory=dict)
    places: dict[FieldPath, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def place(self, path: FieldPath) -> Place | None:
        """The place of `path`, or of the nearest field around it."""
        while path:
            if path in self.places:
                return self.places[path]
            path = path[:-1]
        return None

    def problem(self, path: FieldPath, value: Any, reason: str, fix: str) -> Problem:
        """A problem with the value at `path`, with its place."""
        place = self.place(path)
        file, line = (place.file, place.line) if place else (self.file, None)
        return Problem(file, line, dotted(path), value, reason, fix)


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: `no`, `on` and `012345678901` stay strings (YAML 1.1 reads false, true, an octal number)."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):  # an alias may contain itself; files this short need none
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "aliases (*name) are not supported; repeat the value", mark)
        return super().compose_node(parent, index)


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
    (
        "float",
        r"[-+]?(?:(?:0|[1-9][0-9]*)?\.[0-9]+(?:[eE][-+]?[0-9]+)?|(?:0|[1-9][0-9]*)[eE][-+]?[0-9]+)",
        list("-+.0123456789"),
    ),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), _first)


def read(file: Path, shown: str) -> Source:
    """Reads one file; what cannot be read becomes a problem of the result.

    Args:
        file: the file.
        shown: its name in messages.
    """
    source = Source(shown)

    def problem(line: int | None, where: str, value: Any, reason: str, fix: str) -> None:
        source.problems.append(Problem(shown, line, where, value, reason, fix))

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem(None, "(file)", None, f"it cannot be read: {error}", "make it a readable UTF-8 text file")
        return source
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is None:
            return source
        if not isinstance(root, yaml.MappingNode):
            problem(1, "(file)", None, "it is not a mapping of fields to values", "write one `field: value` a line")
            return source
        for path, key, first in _repeated_keys(root, ()):
            problem(key, dotted(path), None, f"it is set twice, first on line {first}", "keep one of the two")
        source.places = {path: Place(shown, line) for path, line in _lines(root, ())}
        source.values = _with_text_keys(loader.construct_document(root))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        problem(mark.line + 1 if mark else None, "(file)", None, f"it is not YAML: {error.problem}", "mend the syntax")
    except yaml.YAMLError as error:
        problem(None, "(file)", None, f"it is not YAML: {error}", "mend the syntax")
    return source


def overlay(base: Source, over: Source) -> Source:
    """`over` laid on `base`: mappings are merged field by field, everything else is replaced, also by null."""
    merged = Source(over.file, {}, dict(base.places), [*base.problems, *over.problems])
    merged.values = _merge(base.values, over.values, (), merged.places, over.places)
    return merged


def dotted(path: FieldPath) -> str:
    """`("network", "zones", 0)` as `network.zones[0]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f"{'.' if text else ''}{part or repr(part)}"
    return text


def _with_text_keys(value: Any) -> Any:
    """A key that YAML reads as a number or truth value is a field's name all the same."""
    if isinstance(value, dict):
        return {str(key): _with_text_keys(inner) for key, inner in value.items()}
    return [_with_text_keys(inner) for inner in value] if isinstance(value, list) else value


def _merge(base: Any, over: Any, path: FieldPath, places: dict[FieldPath, Place], new: dict[FieldPath, Place]) -> Any:
    if path in new:
        places[path] = new[path]
    if isinstance(base, dict) and isinstance(over, dict):
        merged = dict(base)
        for key, value in over.items():
            merged[key] = _merge(base.get(key), value, (*path, key), places, new)
        return merged
    for place in [p for p in places if p[: len(path)] == path and len(p) > len(path)]:
        del places[place]
    places.update({p: place for p, place in new.items() if p[: len(path)] == path})
    return over


def _lines(node: yaml.Node, path: FieldPath) -> Iterator[tuple[FieldPath, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            here = (*path, str(key.value))
            yield here, key.start_mark.line + 1
            yield from _lines(value, here)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield (*path, index), item.start_mark.line + 1
            yield from _lines(item, (*path, index))


def _repeated_keys(node: yaml.Node, path: FieldPath) -> Iterator[tuple[FieldPath, int, int]]:
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, line = str(key.value), key.start_mark.line + 1
            if name in seen:
                yield (*path, name), line, seen[name]
            seen.setdefault(name, line)
            yield from _repeated_keys(value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _repeated_keys(item, (*path, index))
