"""Reads YAML 1.2 with the line of every field, and refuses by name what makes YAML surprise.

That is: anchors and aliases (which multiply), merge keys, tags (which make dates, bytes and objects), a second
document, and characters that nobody sees.
"""

import math
import re
import stat
import unicodedata
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.docinfo import DocInfo
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.resolver import VersionedResolver
from ruamel.yaml.tag import Tag

from mistral7b.yamlfile.problem import FieldPath, Problem
from mistral7b.yamlfile.source import Source

# Far beyond a file with every field and a page of comments; ruamel.yaml reads some 100 KB a second.
MAX_BYTES = 32 * 1024
# The schemas' own depth is five.
MAX_DEPTH = 20

_UNTAGGED, _TEXT = "untagged", "tag:yaml.org,2002:str"
_CONSTANTS = {"null": None, "true": True, "false": False}
_WORDS = {"": None, "~": None} | {form(k): v for k, v in _CONSTANTS.items() for form in (str, str.title, str.upper)}
# YAML 1.2's decimal numbers. Everything else is text: 012345678901, 0x1F, 1_000, 2001-12-14, .inf, yes.
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]*|(?=\.))(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LONGEST_NUMBER = 309
"""Digits of the largest float. Python takes its time with thousands, and refuses more."""
_LINE_BREAK = re.compile("\r\n|\n|\r")
# How ruamel.yaml's message begins, and what to say in its place.
_REWORDED = {
    "maximum depth": (f"it lies more than {MAX_DEPTH} levels deep", "no field lies that deep; remove it"),
    "but found another document": ("a second YAML document begins here", "keep one document a file"),
}


def read(file: Path, shown: str) -> Source:
    """Reads one file; what cannot be read becomes a problem of the result.

    Args:
        file: the file.
        shown: its name in messages.
    """
    source = Source(shown)
    try:
        text = _text(file)
    except (OSError, ValueError) as error:  # UnicodeDecodeError is a ValueError
        fix = f"make it a readable UTF-8 text file of at most {MAX_BYTES // 1024} KiB"
        source.problems.append(Problem(shown, None, "(file)", None, f"it cannot be read: {error}", fix))
        return source
    if wrong := _parse(text, source):
        line, reason, fix = wrong
        value = next(iter(_LINE_BREAK.split(text)[line - 1 : line]), "").strip() or None
        source.problems.append(Problem(shown, line, "(file)", value, reason, fix))
    return source


def _text(file: Path) -> str:
    """The file's text. Only a regular file is opened (a pipe would block), and no more than the limit is read."""
    status = file.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is a folder" if stat.S_ISDIR(status.st_mode) else "it is not a regular file")
    with file.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has {max(status.st_size, len(content)):,} bytes, and the limit is {MAX_BYTES:,}")
    return content.decode("utf-8-sig")


def _parse(text: str, source: Source) -> tuple[int, str, str] | None:
    """Puts the values into `source`; returns line, reason and fix where the text as a whole is wrong."""
    hidden = next((place for place, character in enumerate(text) if _is_hidden(character)), None)
    if hidden is not None:
        name = f"U+{ord(text[hidden]):04X} ({unicodedata.name(text[hidden], 'a control character')})"
        fix = "remove it; in a value that needs it, write it in double quotes, as \\uXXXX"
        line = len(_LINE_BREAK.findall(text, 0, hidden)) + 1
        return line, f"it contains the invisible character {name}", fix
    yaml = YAML(typ="safe", pure=True)
    yaml.Resolver, yaml.max_depth, yaml.composer.warn_double_anchors = _Resolver, MAX_DEPTH, False
    yaml.doc_infos.append(DocInfo())  # as YAML.compose does, which forgets the line of an error
    constructor, _ = yaml.get_constructor_parser(text)
    try:
        root = constructor.composer.get_single_node()
    except MarkedYAMLError as error:
        mark, said = error.problem_mark or error.context_mark, str(error.problem)
        words = next((words for start, words in _REWORDED.items() if said.startswith(start)), None)
        return mark.line + 1 if mark else 1, *(words or (f"it is not YAML: {said}", "correct the syntax"))
    except (YAMLError, ValueError, OverflowError) as error:  # an escape beyond any character, say
        return yaml.reader.line + 1, f"it is not YAML: {error}", "correct the syntax"
    value = None if root is None else _Builder(source).value(root, ())
    if isinstance(value, dict):
        source.values = value
    elif value is not None:
        return 1, "it is not a mapping of fields to values", "write one `field: value` a line"
    return None


class _Resolver(VersionedResolver):
    def resolve(self, kind: Any, value: Any, implicit: Any) -> Tag:  # noqa: ARG002
        """Any node's tag that the file does not give."""
        return Tag(suffix=_UNTAGGED)


class _Builder:
    """Builds values from ruamel.yaml's nodes, and goes on after what it refuses."""

    def __init__(self, source: Source) -> None:
        self._source = source

    def value(self, node: Any, path: FieldPath) -> Any:
        """The value of a node; None where it is refused."""
        if self._is_refused(node, path):
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, path)
        if isinstance(node, SequenceNode):
            for index, item in enumerate(node.value):
                self._source.place_at((*path, index), item.start_mark.line + 1)
            return [self.value(item, (*path, index)) for index, item in enumerate(node.value)]
        return node.value if node.style or node.tag == _TEXT else self._plain(node.value, path)

    def _mapping(self, mapping: MappingNode, path: FieldPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key, value in mapping.value:
            is_name = isinstance(key, ScalarNode) and key.anchor is None
            here = (*path, key.value if is_name else "?")
            first = self._source.places.get(here)
            self._source.place_at(here, key.start_mark.line + 1)
            if not is_name:
                self._refuse(here, None, "a list, mapping or alias cannot be a field's name", "write a name")
            elif not self._is_refused(key, here):
                if key.value == "<<" and not key.style:
                    self._refuse(here, None, "merge keys (<<) are not supported", "repeat the fields")
                if first is not None:
                    self._refuse(here, None, f"it is set twice, first on line {first.line}", "keep one of the two")
                values[key.value] = self.value(value, here)
        return values

    def _plain(self, text: str, path: FieldPath) -> Any:
        """The value of a scalar without quotes."""
        if text in _WORDS:
            return _WORDS[text]
        if not _NUMBER.fullmatch(text):
            return text
        value = int(text) if len(text) < _LONGEST_NUMBER and text.lstrip("+-").isdigit() else float(text)
        if math.isinf(value):
            self._refuse(path, text, "the number is too large", "use a smaller one")
        return value

    def _is_refused(self, node: Any, path: FieldPath) -> bool:
        """Whether the node is more than YAML's core: an anchor, an alias, a tag, half a character."""
        scalar = node.value if isinstance(node, ScalarNode) else None
        if node.anchor is not None:
            reason = f"anchors and aliases (&{node.anchor}, *{node.anchor}) are not supported"
            self._refuse(path, None, reason, "write the value itself")
        elif node.tag not in (_UNTAGGED, _TEXT):
            reason = f"tags such as {node.tag.replace('tag:yaml.org,2002:', '!!')} are not supported"
            self._refuse(path, scalar, reason, "write the value without it, a text in quotes")
        elif scalar and any(unicodedata.category(character) == "Cs" for character in scalar):  # an escape makes one
            reason = "it has half of a surrogate pair, which is not a character"
            self._refuse(path, scalar, reason, "write the whole character")
        else:
            return False
        return True

    def _refuse(self, path: FieldPath, value: Any, reason: str, fix: str) -> None:
        self._source.problems.append(self._source.problem(path, value, reason, fix))


def _is_hidden(character: str) -> bool:
    """Control and format characters, and spaces and line breaks other than ASCII's: they make a text read otherwise.

    U+0085 in a comment ends it for YAML 1.1, and editors do not show the field behind it.
    """
    if character.isprintable() or character in "\t\n\r":
        return False
    return character in "\ufffe\uffff" or unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs")
