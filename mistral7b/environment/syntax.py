"""YAML as environment files have it: YAML 1.2's scalars, one document, no aliases and no tags; read within limits.

What an environment file has no use for is refused by name rather than supported, since it is where YAML surprises:
aliases (which multiply), merge keys, tags (which make dates, bytes and objects), and characters that cannot be seen.
"""

import math
import re
import stat
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from mistral7b.environment.problem import FieldPath, Problem, dotted

# Far beyond an environment file with every field and a page of comments; PyYAML reads about 200 KB a second.
MAX_BYTES = 32 * 1024
# The schema's own depth is five.
MAX_DEPTH = 20

_STRING = "tag:yaml.org,2002:str"
_BREAK = re.compile("\r\n|\n|\r")
_HALF = re.compile("[\ud800-\udfff]")


@dataclass
class Document:
    """What one file holds: values, the line of each, and what is wrong with it as YAML."""

    values: dict[str, Any] = field(default_factory=dict)
    lines: dict[FieldPath, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse(file: Path, shown: str) -> Document:
    """Reads one file; what cannot be read becomes a problem of the result.

    Args:
        file: the file.
        shown: its name in messages.
    """
    try:
        text = _text(file)
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        fix = f"make it a readable UTF-8 text file of at most {MAX_BYTES // 1024} KiB"
        return Document(problems=[Problem(shown, None, "(file)", None, f"it cannot be read: {error}", fix)])
    return _Parser(text, shown).parse()


def _text(file: Path) -> str:
    """The file's text. Only a regular file is opened (a pipe would block), and no more than the limit is read."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is a folder" if stat.S_ISDIR(status.st_mode) else "it is no regular file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {max(status.st_size, len(content)):,} bytes, and the limit is {MAX_BYTES:,}")
    return content.decode("utf-8-sig")


class _Loader(yaml.SafeLoader):
    """YAML 1.2 scalars: `no`, `on` and `012345678901` stay strings (YAML 1.1 reads false, true, an octal number)."""


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
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})\Z"), _first)

_CONVERT: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
}


class _TooDeepError(Exception):
    """Mappings or lists lie deeper in each other than MAX_DEPTH."""


class _Parser:
    """Builds the values from YAML's events, and goes on after what it objects to."""

    def __init__(self, text: str, shown: str) -> None:
        self._text = text
        self._shown = shown
        self._document = Document()
        self._next: Any = None

    def parse(self) -> Document:
        """The document, empty or partial where there are problems."""
        if found := [character for character in set(self._text) if _is_hidden(character)]:
            hidden = min(found, key=self._text.index)
            reason = f"{_named(hidden)} is in it, which cannot be seen"
            fix = "remove it; in a value that needs it, write it in double quotes, as \\uXXXX"
            self._object(self._line(self._text.index(hidden)), (), reason, fix)
            return self._document
        try:
            loader = _Loader(self._text)
            self._next = loader.get_event
            self._read_stream()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self._object(mark.line + 1 if mark else 1, (), f"it is not YAML: {error.problem}", "mend the syntax")
        except yaml.reader.ReaderError as error:
            self._object(
                self._line(error.position), (), f"it is not YAML: {_named(chr(error.character))} is in it", "remove it"
            )
        except (ValueError, OverflowError) as error:  # an escape or a version beyond any character or number
            self._object(loader.line + 1, (), f"it is not YAML: {error}", "mend the syntax")
        except _TooDeepError:
            pass  # told where it was found; nothing after it can be read
        return self._document

    def _read_stream(self) -> None:
        self._next()  # the stream's start
        if isinstance(self._next(), yaml.StreamEndEvent):
            return
        root = self._next()
        value = self._value(root, ())
        if isinstance(value, dict):
            self._document.values = value
        elif value is not None:
            self._object(1, (), "it is not a mapping of fields to values", "write one `field: value` a line")
        self._next()  # the document's end
        following = self._next()
        if not isinstance(following, yaml.StreamEndEvent):
            line = following.start_mark.line + 1
            self._object(line, (), "a second YAML document begins here", "keep one; an environment is one file")

    def _value(self, event: Any, path: FieldPath) -> Any:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            self._object(line, path, "aliases (*name) are not supported", "repeat the value", f"*{event.anchor}")
            return None
        if len(path) > MAX_DEPTH:
            self._object(line, path, f"it lies more than {MAX_DEPTH} levels deep", "no field lies that deep; remove it")
            raise _TooDeepError
        self._check_tag(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        return self._sequence(path) if isinstance(event, yaml.SequenceStartEvent) else self._scalar(event, path)

    def _mapping(self, path: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        while not isinstance(key := self._next(), yaml.MappingEndEvent):
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarEvent):
                here = (*path, "?")
                self._object(line, here, "a list, mapping or alias cannot be a field's name", "write a name")
                self._value(key, here)
                self._value(self._next(), here)
                continue
            here = (*path, key.value)
            self._check_tag(key, here)
            self._check_characters(key, here)
            if key.value == "<<" and key.style is None:
                self._object(line, here, "merge keys (<<) are not supported", "repeat the fields")
            if key.value in values:
                reason = f"it is set twice, first on line {self._document.lines[here]}"
                self._object(line, here, reason, "keep one of the two")
            self._document.lines.setdefault(here, line)
            values[key.value] = self._value(self._next(), here)
        return values

    def _sequence(self, path: FieldPath) -> list[Any]:
        values: list[Any] = []
        while not isinstance(item := self._next(), yaml.SequenceEndEvent):
            here = (*path, len(values))
            self._document.lines[here] = item.start_mark.line + 1
            values.append(self._value(item, here))
        return values

    def _scalar(self, event: Any, path: FieldPath) -> Any:
        self._check_characters(event, path)
        if event.tag is not None:
            return event.value
        tag = _resolve(event)
        try:
            value = _CONVERT.get(tag, str)(event.value)
        except ValueError:  # Python converts 4,300 digits at most
            value = math.inf
        if isinstance(value, float) and not math.isfinite(value):
            line = event.start_mark.line + 1
            self._object(line, path, "no computer's number is that large", "use a smaller one", event.value)
        return value

    def _check_tag(self, event: Any, path: FieldPath) -> None:
        if event.tag not in (None, "!", _STRING):
            fix = "write the value without it, a text in quotes"
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._object(
                event.start_mark.line + 1,
                path,
                f"tags such as {tag} are not supported",
                fix,
                getattr(event, "value", None),
            )

    def _check_characters(self, event: Any, path: FieldPath) -> None:
        if _HALF.search(event.value):  # an escape can make one
            line, fix = event.start_mark.line + 1, "write the whole character"
            self._object(line, path, "it has half of a surrogate pair, which is no character", fix, event.value)

    def _line(self, index: int) -> int:
        return len(_BREAK.findall(self._text, 0, index)) + 1

    def _object(self, line: int, path: FieldPath, reason: str, fix: str, value: Any = None) -> None:
        if not path:
            value = next(iter(_BREAK.split(self._text)[line - 1 : line]), "").strip() or None
        name = dotted(path) or "(file)"
        self._document.problems.append(Problem(self._shown, line, name, value, reason, fix))


def _resolve(event: yaml.ScalarEvent) -> str:
    """The tag of a scalar without one: by its form where it is plain, text in quotes."""
    if not event.implicit[0]:
        return _STRING
    for tag, pattern in _Loader.yaml_implicit_resolvers.get(event.value[:1], ()):
        if pattern.match(event.value):
            return str(tag)
    return _STRING


def _is_hidden(character: str) -> bool:
    """Control and format characters, and spaces and line breaks other than ASCII's: they make a text read otherwise.

    U+0085 in a comment ends it for YAML 1.1, and editors do not show the field behind it.
    """
    return not character.isprintable() and (
        character not in "\t\n\r" and unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
    )


def _named(character: str) -> str:
    return f"the character U+{ord(character):04X} ({unicodedata.name(character, 'a control character')})"
