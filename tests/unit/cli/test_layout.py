"""Text and tables as a terminal of 80 columns shows them, and as a pipe gets them."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from mistral7b_cli.layout import Table
from mistral7b_cli.output import say

ROLE = "cdk-hnb659fds-lookup-role-111111111111-us-east-1"


def shown(what: str | Text | Table, *, terminal: bool = True, width: int = 80) -> list[str]:
    """The lines that a console gets."""
    text = io.StringIO()
    say(what, on=Console(file=text, width=width, force_terminal=terminal, color_system=None))
    return text.getvalue().splitlines()


def test_a_sentence_is_broken_between_words_below_its_beginning() -> None:
    assert shown(f"    the account trusts nobody: its role {ROLE} does not exist in us-east-1") == [
        "    the account trusts nobody: its role",
        f"    {ROLE} does not exist in us-east-1",
    ]


def test_a_line_of_columns_goes_on_below_the_last() -> None:
    first, *others = shown(f"ok    0.01 s  answer  {'words ' * 20}")
    assert first.startswith("ok    0.01 s  answer  words")
    assert {line[:22].strip() for line in others} == {""}
    assert {line[22:27] for line in others} == {"words"}


@pytest.mark.parametrize(
    "command",
    [
        f"fix: cdk bootstrap aws://222222222222/us-east-1 --trust 111111111111 --role {ROLE}",
        f'eval "$(mistral7b local up --state /a/folder/{ROLE} --account 111111111111 --region us-east-1)"',
        f"export NO_PROXY=localhost,127.0.0.1,{ROLE},{ROLE} more",
        f"    $ mistral7b invoke dev --stream 'Tell me of {ROLE} in two sentences'",
    ],
)
def test_a_command_stays_on_its_line(command: str) -> None:
    assert shown(command) == [command]


def test_a_command_in_a_sentence_is_not_broken() -> None:
    command = "cdk bootstrap aws://222222222222/us-east-1 --trust 111111111111 --profile a"
    assert shown(f"fix: with credentials of 222222222222: {command}")[1] == command
    assert "`mistral7b local up --account 1`" in shown(f"{'word ' * 11}`mistral7b local up --account 1` does it")[1]


def test_chinese_is_broken_between_letters() -> None:
    lines = shown(f"> {'鼠' * 60}")
    assert [cell_len(line) for line in lines] == [80, 42]


@given(st.lists(st.text("ab-:/.", min_size=1, max_size=100), min_size=1), st.integers(20, 120))
def test_a_terminal_cuts_no_word_and_drops_none(words: list[str], width: int) -> None:
    lines = shown(" ".join(words), width=width)
    assert " ".join(lines).split() == words
    assert [line for line in lines if len(line) > width and len(line.split()) > 1] == []


def test_a_pipe_gets_whole_lines_without_spaces_at_their_ends() -> None:
    text = "word " * 40 + "end"
    rows = [("a", text), ("b", "")]
    assert shown(text, terminal=False) == [text]
    lines = shown(Table("", ("name", "what"), rows), terminal=False)
    assert [line for line in lines if line != line.rstrip()] == []
    assert f"a     {text}" in lines


def test_only_sentences_of_a_table_are_broken() -> None:
    rows = [("dev", ROLE, "refused", "its role is there and trusts another account than the pipeline's")]
    lines = shown(Table("", ("for", "what", "is", ""), rows))
    assert max(map(len, lines)) <= 80
    assert lines[2].startswith(f"dev  {ROLE}  refused  its role")


def test_a_column_is_never_narrower_than_its_longest_word() -> None:
    rows = [
        ("dev", f"the role that looks up what is there, {ROLE}, does not exist", "run the bootstrap of it again " * 3)
    ]
    lines = shown(Table("", ("for", "what", "fix"), rows))
    assert max(map(len, lines)) <= 80
    assert any(ROLE in line for line in lines)


def test_columns_that_do_not_fit_follow_below_beside_the_first() -> None:
    policies = [f"concurrency:{n},max=10000000" for n in range(10, 16)]
    lines = shown(Table("", ("", *policies), [("requests", *"123456"), ("answered", *"123456")], numbers=True))
    assert max(map(len, lines)) <= 80
    assert sum(line.startswith("requests") for line in lines) > 1
    assert {word for line in lines for word in line.split()} >= {*policies, *"123456"}


def test_colours_outlive_the_layout() -> None:
    text = io.StringIO()
    console = Console(file=text, width=80, force_terminal=True, color_system="standard")
    say(Text.assemble(("FAIL", "red"), "  " + "word " * 30), on=console)
    say(Table("", ("is", "why"), [(Text("refused", "red"), "word " * 30)]), on=console)
    assert text.getvalue().count("\x1b[31m") == 2
