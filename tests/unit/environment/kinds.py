"""Kinds of mutation, each a strategy for the text of environment files."""

import re
from typing import Any

from hypothesis import strategies as st

from tests.unit.environment.mutations import (
    HOSTILE,
    OTHER_TYPES,
    REMOVE,
    Edit,
    Files,
    Site,
    documents,
    edited,
    fitting,
    near,
    pools,
    sites,
    texts,
    written,
)

_KEYS = sorted({site.path[-1] for site in sites()})
_TAGS = ("!!python/object:os.system", "!!python/name:open", "!!binary", "!!timestamp", "!!set", "!!omap", "!!int")
_MARKS = (*_TAGS, "!!float", "!!bool", "!!null", "!!str", "!!map", "!!seq", "!x", "!<tag:x>", "!", "&a", "*a", "? ")
_SNIPPETS = (
    *("<<: *a", "<<: {model: base}", "? [a, b]\n: c", "? {a: b}\n: c", "---", "...", "%YAML 1.1", "%TAG ! x:", "~: x"),
    *("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]", "x: &x {y: *x}", "region: us-east-1", "1: x", "true: x", "'': x"),
    *("? |\n  long\n: x", "=: x", "a: !!timestamp foo", "a: !!int ''", 'a: "\\UFFFFFFFF"', "a: {b: {c: {d: 1}}}"),
)


def _texts_of(edits: st.SearchStrategy[list[Edit]]) -> st.SearchStrategy[Files]:
    def write(document: dict[str, Any], drawn: list[Edit], as_json: bool) -> Files:
        return Files(written(edited(document, drawn), as_json))

    return st.builds(write, st.sampled_from(documents()), edits, st.booleans())


def _edits(values: Any, least: int = 1, most: int = 2, where: tuple[Site, ...] = ()) -> st.SearchStrategy[list[Edit]]:
    """Between `least` and `most` sites with a value that `values` draws for the site."""
    one = st.one_of([st.tuples(st.just(site.path), values(site)) for site in where or sites()])
    return st.lists(one, min_size=least, max_size=most)


def other_types() -> st.SearchStrategy[Files]:
    """A value of another type."""
    return _texts_of(_edits(lambda _: st.sampled_from(OTHER_TYPES)))


def choices() -> st.SearchStrategy[Files]:
    """Mappings and lists, with names of fields and of forms, at every field that takes more than one form."""
    several = tuple(site for site in sites() if len([f for f in site.forms if f.get("type") != "null"]) > 1)
    names = st.sampled_from([*_KEYS, "mean", "p95", "constant", "spread", "samples", "count", "names", "[key]"])
    scalars = st.sampled_from([None, True, 0, 400, 1.5, "x", "", "auto", "us-east-1a"])
    values = st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)
    )
    return _texts_of(_edits(lambda _: values, most=3, where=several))


def ranges() -> st.SearchStrategy[Files]:
    """Values at, and one beyond, what the schema allows."""
    return _texts_of(_edits(lambda site: st.one_of([near(form) for form in site.forms]), most=3))


def characters() -> st.SearchStrategy[Files]:
    """Text with characters that nobody expects, in values and in names."""

    def within(site: Site) -> st.SearchStrategy[Any]:
        good = st.sampled_from(pools().get(site.path[-1], ["abc"]))
        return st.builds(lambda text, bad, at: text[:at] + bad + text[at:], good, st.sampled_from(HOSTILE), _AT)

    names = st.builds(lambda key, bad: ((key + bad,), "x"), st.sampled_from(_KEYS), st.sampled_from(HOSTILE))
    tags = st.builds(lambda key, bad: (("tags", key), bad), st.sampled_from(HOSTILE), st.sampled_from(HOSTILE))
    return _texts_of(_edits(within) | st.lists(names | tags, min_size=1, max_size=2))


_AT = st.integers(0, 12)


def fields() -> st.SearchStrategy[Files]:
    """Fields that are missing, misspelt, in the wrong section or unknown."""
    removed = st.sampled_from(sites()).map(lambda site: (site.path, REMOVE))
    present = st.sampled_from([(key,) for document in documents() for key in document]).map(lambda p: (p, REMOVE))
    misspelt = st.builds(
        lambda site, at: ((*site.path[:-1], site.path[-1][:at] + site.path[-1][at + 1 :]), 1),
        st.sampled_from(sites()),
        _AT,
    )
    elsewhere = st.builds(
        lambda site, section: ((*section.path, site.path[-1]), 1), st.sampled_from(sites()), st.sampled_from(sites())
    )
    return _texts_of(st.lists(removed | present | misspelt | elsewhere, min_size=1, max_size=3))


def contradictions() -> st.SearchStrategy[Files]:
    """Values that fit their fields, and not each other."""
    return _texts_of(_edits(fitting, least=1, most=4))


def layers() -> st.SearchStrategy[Files]:
    """common.yaml and dev.yaml with mutations of their own."""
    either = _edits(fitting) | _edits(lambda _: st.sampled_from(OTHER_TYPES), most=1)
    return st.builds(lambda dev, common: Files(dev.dev, common.dev), _texts_of(either), _texts_of(either))


def syntax() -> st.SearchStrategy[Files]:
    """Text with lines and characters lost, doubled, swapped or indented."""
    characters = st.sampled_from([*HOSTILE, *":-[]{},?'\"#&*!|>%@ \t"])

    def mutate(text: str, cuts: list[tuple[str, int, str]]) -> Files:
        for how, number, inserted in cuts:
            lines = text.splitlines(keepends=True) or [""]
            row, at = number % len(lines), number % (len(text) + 1)
            match how:
                case "indent":
                    lines[row] = " " * (number % 7) + lines[row].lstrip(" " if number % 2 else "")
                case "double":
                    lines.insert(row, lines[(row + number // 7) % len(lines)])
                case "drop":
                    del lines[row]
                case "insert":
                    lines = [text[:at], inserted, text[at:]]
                case "delete":
                    lines = [text[:at], text[at + 1 + number % 3 :]]
                case "cut":
                    lines = [text[:at]]
            text = "".join(lines)
        return Files(text)

    how = st.sampled_from(["indent", "double", "drop", "insert", "delete", "cut"])
    cuts = st.lists(st.tuples(how, st.integers(0, 5000), characters), min_size=1, max_size=3)
    return st.builds(mutate, st.sampled_from(texts()), cuts)


def constructs() -> st.SearchStrategy[Files]:
    """YAML's tags, anchors, aliases, merge keys, odd keys and further documents."""

    def mark(text: str, marks: list[tuple[str, int]], snippet: str, number: int) -> Files:
        for one, at in marks:
            places = [m.end() for m in re.finditer(r": |- |^", text, re.MULTILINE)]
            place = places[at % len(places)]
            text = f"{text[:place]}{one} {text[place:]}"
        lines = text.splitlines()
        lines.insert(number % (len(lines) + 1), snippet)
        return Files("\n".join(lines) + "\n")

    marks = st.lists(st.tuples(st.sampled_from(_MARKS), st.integers(0, 200)), max_size=2)
    snippets = st.sampled_from([*_SNIPPETS, *[""] * 8])
    return st.builds(mark, st.sampled_from(texts()), marks, snippets, st.integers(0, 100))


KINDS = {
    kind.__name__: kind
    for kind in (other_types, choices, ranges, characters, fields, contradictions, layers, syntax, constructs)
}
