"""README.md, which README.zh-CN.md follows line by line."""

import re
from collections import Counter
from collections.abc import Callable, Sized
from pathlib import Path
from unicodedata import east_asian_width

import pytest

from mistral7b.catalog.data import load
from mistral7b.operate.costs import estimate
from tests.variants import ENVIRONMENTS

ROOT = Path(__file__).parents[3]
ENGLISH, CHINESE = ((ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.zh-CN.md"))
BOTH = pytest.mark.parametrize("page", [ENGLISH, CHINESE], ids=["English", "Chinese"])
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def headings(page: str) -> list[str]:
    """The levels of the headings, in order."""
    return re.findall(r"^(#+) ", _BLOCK.sub("", page), re.MULTILINE)


def code(page: str) -> list[tuple[str, str]]:
    """The languages and the lines of the blocks of code, without comments at the ends of commands and values."""
    return [
        (language, text if language == "python" else re.sub(r"(?m)(?<=\S) +# .*$", "", text))
        for language, text in _BLOCK.findall(page)
    ]


def links(page: str) -> list[str]:
    """The targets of links and pictures, in order, but for the switch of languages in the first line."""
    return re.findall(r"\]\(([^)]+)\)", page.partition("\n")[2])


def table_rows(page: str) -> list[int]:
    """The number of cells of each row of the tables."""
    return [line.count("|") - 1 for line in page.splitlines() if line.startswith("|")]


def literals(page: str) -> Counter[str]:
    """What the prose and the tables have as code: commands, fields, values."""
    return Counter(re.findall(r"`([^`\n]+)`", _BLOCK.sub("", page)))


@BOTH
def test_a_readme_has_at_most_150_lines(page: str) -> None:
    assert len(page.splitlines()) <= 150


@BOTH
def test_commands_and_their_comments_fit_githubs_page(page: str) -> None:
    lines = [line for language, text in _BLOCK.findall(page) if language == "console" for line in text.splitlines()]
    assert lines
    assert [line for line in lines if len(line) + sum(east_asian_width(one) in "WF" for one in line) > 96] == []


@pytest.mark.parametrize("part", [headings, code, links, table_rows, literals], ids=lambda part: part.__name__)
def test_the_chinese_readme_has_the_same_structure_commands_and_links(part: Callable[[str], Sized]) -> None:
    assert len(part(ENGLISH)) > 0
    assert part(CHINESE) == part(ENGLISH)


def test_each_readme_links_to_the_other_in_its_first_line() -> None:
    assert "](README.zh-CN.md)" in ENGLISH.splitlines()[0]
    assert "](README.md)" in CHINESE.splitlines()[0]


@BOTH
@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_a_readme_has_the_monthly_prices_of_the_environments_as_shipped(page: str, name: str) -> None:
    total = estimate(ENVIRONMENTS[name]).total
    assert total.usd_per_month
    prices = list(dict.fromkeys(f"{usd:,.2f}" for usd in total.usd_per_month))
    (row,) = re.findall(rf"^\| {name} \|.*\|(.*)\|$", page, re.MULTILINE)
    assert re.findall(r"[\d,.]+", row) == prices


def test_the_readme_says_what_its_prices_are_of() -> None:
    data = load("prices.json")
    assert f"On demand in {data['default_region']}, {data['as_of'].partition(',')[0]}." in ENGLISH


def test_the_code_of_the_readme_is_what_show_code_prints() -> None:
    (program,) = [text for language, text in code(ENGLISH) if language == "python"]
    assert program in (ROOT / "docs" / "calling.md").read_text(
        encoding="utf-8"
    )  # compared by tests/e2e/test_calling.py


def test_the_install_page_names_every_make_target() -> None:
    targets = re.findall("^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    rows = re.findall(r"^\| `make ([a-z-]+)`", (ROOT / "docs" / "install.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) - {"help"} <= set(rows)


def test_the_install_page_names_every_lock_file() -> None:
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    files = {file.stem for file in (ROOT / "requirements").glob("*.txt")}
    assert files == set(re.findall(r"^\| `([a-z]+)` \|", install, re.MULTILINE))
