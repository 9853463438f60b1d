"""Rules across fields: which are checked, and what a finding shows."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, Any

import pytest
from pydantic import Field

from mistral7b.yamlfile import Finding, Rulebook, Section, Source


class Entry(Section):
    name: str


class File(Section):
    size: Annotated[int, Field(alias="SIZE")] = 3
    entries: list[Entry] = Field(default_factory=lambda: [Entry(name="a"), Entry(name="b")])
    more: Entry | None = None


@pytest.mark.parametrize(
    ("field", "value"),
    [("SIZE", 3), ("entries.1.name", "b"), ("entries", None), ("entries.0", None), ("more", None), ("more.name", None)],
)
def test_a_finding_shows_the_value_of_its_field_and_no_section(field: str, value: Any) -> None:
    assert Finding(field, "why", "how").problem(Source("file.yaml"), File()).value == value


def test_a_finding_may_show_another_value() -> None:
    assert Finding("SIZE", "why", "how", "auto").problem(Source("file.yaml"), File()).value == "auto"


def test_a_rule_is_left_out_where_a_field_that_it_reads_is_wrong() -> None:
    book = Rulebook[File]()

    @book.rule("entries.name")
    def _named(file: File) -> Iterator[Finding]:
        yield Finding("entries.0.name", "why", "how")

    assert len(list(book.check(File(), [("SIZE",), ("entriesx",)]))) == 1
    for wrong in (("entries",), ("entries", 1, "name")):
        assert list(book.check(File(), [wrong])) == []


def found(*rules: tuple[str, str]) -> list[str]:
    """Fields that rules object to, given what each reads and objects to."""
    book = Rulebook[File]()
    for read, field in rules:
        book.rule(read)(partial(_object, field))
    return [finding.field for finding in book.check(File())]


def _object(field: str, file: File) -> Iterator[Finding]:
    del file
    yield Finding(field, "why", "how")


def test_a_rule_is_left_out_where_a_rule_before_it_objects_to_a_field_that_it_reads() -> None:
    assert found(("more", "more.name"), ("more", "more"), ("SIZE", "SIZE")) == ["more.name", "SIZE"]


def test_a_wrong_entry_of_a_list_leaves_no_rule_out() -> None:
    assert found(("entries.name", "entries.0.name"), ("entries.name", "entries.1.name")) == [
        "entries.0.name",
        "entries.1.name",
    ]
