"""YAML 1.2 as the project's files have it: scalars by their form, and everything else refused by name and line."""

from pathlib import Path
from typing import Any

import pytest

from mistral7b.yamlfile import Problem, Source, read


def source(folder: Path, text: str) -> Source:
    (folder / "file.yaml").write_text(text, encoding="utf-8")
    return read(folder / "file.yaml", "file.yaml")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("Null", None),
        ("true", True),
        ("FALSE", False),
        ("0", 0),
        ("-7", -7),
        ("+12", 12),
        ("1.5", 1.5),
        (".5", 0.5),
        ("-1e3", -1000.0),
        ("2.5E-1", 0.25),
        ("9" * 300, int("9" * 300)),
        *((text, text) for text in ("012", "0x1F", "0o7", "0b1", "1_000", "5.", ".", "+", ".inf", ".nan", "١٢")),
        *((text, text) for text in ("yes", "on", "n", "2001-12-14", "12:30:45", "tRue", "1e", "=")),
        ('"1"', "1"),
        ("'null'", "null"),
        ("!!str 1", "1"),
        ("[1, '1', {a: ~}]", [1, "1", {"a": None}]),
    ],
)
def test_a_value_has_the_type_of_its_form(text: str, value: Any, tmp_path: Path) -> None:
    found = source(tmp_path, f"field: {text}\n")
    assert (found.values, found.problems) == ({"field": value}, [])
    assert type(found.values["field"]) is type(value)


REFUSED = {
    "an anchor": ("a: &x 1\n", 1, "a", None),
    "an alias": ("a: &x [1]\nb:\n  c: *x\n", 3, "b.c", None),
    "a merge key": ("a:\n  <<: {b: 1}\n", 2, "a.<<", None),
    "a tag": ("a: 1\nb: [!!timestamp 2001-12-14]\n", 2, "b[0]", "2001-12-14"),
    "a tag of a name": ("a:\n  !x b: 1\n", 2, "a.b", "b"),
    "a list as a name": ("? [a, b]\n: c\n", 1, "?", None),
    "a name twice": ("a: 1\nb: 2\na: 3\n", 3, "a", None),
    "half of a character": ('a: 1\nb: "\\ud800"\n', 2, "b", "\ud800"),
    "a number beyond any": ("a: 1e999\n", 1, "a", "1e999"),
    "a number of thousands of digits": (f"a: -{'9' * 5000}\n", 1, "a", f"-{'9' * 5000}"),
    "a second document": ("a: 1\n---\nb: 2\n", 2, "(file)", "---"),
    "no mapping": ("- a\n", 1, "(file)", "- a"),
    "an invisible character": ("a: 1\nb: x\u202ey\n", 2, "(file)", "b: x\u202ey"),
    "an escape beyond any character": ('a: 1\nb: "\\UFFFFFFFF"\n', 2, "(file)", 'b: "\\UFFFFFFFF"'),
    "an unclosed list": ("a: 1\nb: [1,\n  2\n", 4, "(file)", None),
    "a depth beyond the limit": (f"a: 1\nb: {'[' * 30}\n", 2, "(file)", f"b: {'[' * 30}"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_it_refuses(case: str, tmp_path: Path) -> None:
    text, line, field, value = REFUSED[case]
    problems = source(tmp_path, text).problems
    assert [(p.file, p.line, p.field, p.value) for p in problems[-1:]] == [("file.yaml", line, field, value)]
    assert problems[-1].reason
    assert problems[-1].fix


def test_it_goes_on_after_a_problem(tmp_path: Path) -> None:
    found = source(tmp_path, "a: &x 1\nb: !!int 2\nc: 3\nc: 4\n")
    assert [problem.field for problem in found.problems] == ["a", "b", "c"]


def test_a_second_setting_names_the_line_of_the_first(tmp_path: Path) -> None:
    assert source(tmp_path, "a: 1\nb: 2\na: 3\n").problems == [
        Problem("file.yaml", 3, "a", None, "it is set twice, first on line 1", "keep one of the two")
    ]


def test_a_problem_inside_a_list_has_the_line_of_its_entry(tmp_path: Path) -> None:
    found = source(tmp_path, "a:\n  - b: 1\n  - b: 2\n")
    assert found.problem(("a", 1, "b"), 2, "", "").line == 3
    assert found.problem(("a", 1, "missing"), None, "", "").line == 3
