"""The runner of documents: what it runs, and how it tells that a page is wrong."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents import Command, DocumentError, File, files, run, steps, wrong_line

PAGE = """# A page

```yaml
# environments/dev.yaml
region: us-east-1
```

1. Indented:
   ```console
   $ cat environments/dev.yaml
   # environments/dev.yaml
   region: us-east-1
   $ export NAME=dev
   $ echo "$NAME" \\
       again        # a comment
   ```

<!-- not run: it needs an account -->
```console
$ exit 7
```
"""
WORDS = st.lists(st.text("abcdefghij XYZ", min_size=1).map(str.strip).filter(bool), min_size=1, max_size=8)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A page whose every line is right."""
    file = tmp_path / "page.md"
    file.write_text(PAGE, encoding="utf-8")
    return file


def follow(page: Path, text: str | None = None) -> int:
    """Runs a page, or another one in its place, in a folder of its own."""
    if text is not None:
        page.write_text(text, encoding="utf-8")
    folder = page.parent / "folder with a space"
    folder.mkdir()
    return run(page, folder, os.environ, page.parent)


def test_commands_and_files_come_in_the_order_of_the_page(page: Path) -> None:
    assert list(steps(page)) == [
        File(4, "environments/dev.yaml", "# environments/dev.yaml\nregion: us-east-1\n"),
        Command(10, "cat environments/dev.yaml", ("# environments/dev.yaml", "region: us-east-1")),
        Command(13, "export NAME=dev", ()),
        Command(14, 'echo "$NAME" \\\n    again        # a comment', ()),
    ]


def test_every_command_of_a_right_page_runs(page: Path) -> None:
    assert follow(page) == 3


def test_variables_last_from_command_to_command(page: Path) -> None:
    assert follow(page, "```console\n$ A=1\n$ cd / && echo $A\n1\n$ pwd\n/\n```\n") == 3


def test_a_wrong_output_fails_with_the_pages_line_and_a_diff(page: Path) -> None:
    with pytest.raises(DocumentError) as failure:
        follow(page, PAGE.replace("   region: us-east-1", "   region: eu-west-1"))
    assert str(failure.value).startswith(f"{page}:12: `cat environments/dev.yaml` printed something else:\n")
    assert "-region: eu-west-1\n+region: us-east-1" in str(failure.value)


def test_the_diff_leaves_out_what_differs_in_a_time_only(page: Path) -> None:
    with pytest.raises(DocumentError) as failure:
        follow(page, "```console\n$ echo done in 0.3 s; echo two\ndone in 9.1 s\none\n```\n")
    assert "-one\n+two" in str(failure.value)
    assert "+done in" not in str(failure.value)


def test_more_output_than_the_page_shows_fails_at_the_line_after_it(page: Path) -> None:
    with pytest.raises(DocumentError, match=r"page\.md:4: `echo one; echo two` printed"):
        follow(page, "```console\n$ echo one; echo two\none\n```\n")


def test_a_command_that_fails_is_told_with_its_line_status_and_output(page: Path) -> None:
    with pytest.raises(DocumentError, match=re.escape("page.md:3: `ls /nowhere` ended with status 2, not 0:\nls: ")):
        follow(page, "```console\n$ true\n$ ls /nowhere\n```\n")


def test_a_command_may_fail_where_the_page_says_so(page: Path) -> None:
    assert follow(page, "<!-- exit status 2 -->\n```console\n$ ls /nowhere\nls: …\n```\n") == 1


def test_a_command_that_ends_the_shell_fails(page: Path) -> None:
    with pytest.raises(DocumentError, match=r"page\.md:2: `exit 0` ended with status None"):
        follow(page, "```console\n$ exit 0\n```\n")


def test_lines_are_added_to_a_file(page: Path) -> None:
    more = (
        "```yaml\n# a.yaml\na: 1\n```\n```yaml\n# add to a.yaml\nb: 2\n```\n```console\n$ tail -1 a.yaml\nb: 2\n```\n"
    )
    assert follow(page, more) == 1


def test_a_title_names_a_file_as_a_comment_does(page: Path) -> None:
    page.write_text('```json title="a/b.json"\n{}\n```\n', encoding="utf-8")
    assert list(files(page)) == [File(2, "a/b.json", "{}\n")]


def test_a_block_without_an_end_is_refused(page: Path) -> None:
    with pytest.raises(DocumentError, match=r"page\.md:1: this block has no end"):
        follow(page, "```console\n$ true\n")


def test_output_without_a_command_is_refused(page: Path) -> None:
    with pytest.raises(DocumentError, match=r"page\.md:2: a block of commands begins with a command"):
        follow(page, "```console\nmake demo\n```\n")


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("done in 0.8 s: http://localhost:45511", "done in 12 s: http://localhost:9"),
        ("vpc-0123456789abcdef0", "vpc-88967328c1c044621"),
        ("stack/a/a56ca529-19cf-4f21-aed3-0ba30d070f5d", "stack/a/00000000-19cf-4f21-aed3-0ba30d070f5d"),
        ("since 2026-11-28 22:35 UTC", "since 2027-01-02 03:04 UTC"),
        ("10:36:47 PM | CREATE_COMPLETE", "1:02:03 AM | CREATE_COMPLETE"),
        ("[main 1a2b3c4] Text", "[main 9f8e7d6] Text"),
    ],
)
def test_times_ids_and_ports_are_not_compared(shown: str, printed: str) -> None:
    assert wrong_line([shown], [printed]) is None


@pytest.mark.parametrize("printed", ["MAX_TOTAL_TOKENS 8192", "12 resources", "p95_seconds 30", "us-east-1"])
def test_other_numbers_are_compared(printed: str) -> None:
    assert wrong_line([printed], [re.sub(r"\d+", "7", printed)]) == 0


@given(WORDS, st.data())
def test_lines_that_are_left_out_at_an_ellipsis_are_not_compared(printed: list[str], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(printed)))
    end = data.draw(st.integers(start, len(printed)))
    assert wrong_line([*printed[:start], "…", *printed[end:]], printed) is None


@given(WORDS, st.data())
def test_a_changed_line_is_found(printed: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(printed) - 1))
    shown = [*printed]
    shown[index] += "!"
    assert wrong_line(shown, printed) == index
