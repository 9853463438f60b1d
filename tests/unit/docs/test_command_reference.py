"""docs/commands.md: what tools/command_reference.py writes of the command line."""

import re
from typing import Annotated, Any

import pytest
import typer

from mistral7b import errors
from mistral7b_cli.app import _PANELS, _PIPELINE
from tools import command_reference

DOCUMENT = command_reference.command_reference()


def _section(name: str) -> str:
    """The text below a command's heading."""
    return DOCUMENT.split(f"\n### {name}\n")[1].split("\n### ")[0].split("\n## ")[0]


@pytest.mark.parametrize("command", [*(name for panel in _PANELS.values() for name in panel), *_PIPELINE])
def test_every_command_has_a_section_or_its_subcommands_have(command: str) -> None:
    assert re.search(rf"(?m)^### (.* )?{command}( .*)?$", DOCUMENT)


def test_every_exit_code_has_its_cause() -> None:
    codes = {value for name, value in vars(errors).items() if name.isupper() and isinstance(value, int)}
    table = DOCUMENT.split("## Exit codes")[1].split("\n## ")[0]
    assert {int(code) for code in re.findall(r"(?m)^\| (\d+) \| \w.+\. \|", table)} == {0, *codes}


def test_the_overview_links_to_each_section() -> None:
    links = re.findall(r"\]\(#([a-z-]+)\) \|", DOCUMENT)
    assert links == [one.replace(" ", "-") for one in re.findall(r"(?m)^### (.+)$", DOCUMENT)]


def test_an_option_has_its_value_its_default_and_its_meaning() -> None:
    assert "| `--since TIME` | `1h` | From when on:" in _section("logs")


def test_an_option_has_its_short_form() -> None:
    assert "| `--follow`, `-f` |" in _section("logs")


def test_a_default_that_the_help_tells_stands_in_its_column() -> None:
    assert re.search(r"\| `--users LIST` \| as published \| [^\[]+ \|", _section("bench"))


def test_a_bar_does_not_end_a_cell() -> None:
    assert r"| `--streaming off\|on\|both` | `off` |" in _section("bench")


def test_an_argument_that_may_be_left_out_is_optional() -> None:
    assert re.search(r"\| `PROMPT` \| .* Optional\. \|", _section("invoke"))


def test_examples_are_one_block() -> None:
    block = re.search(r"```console\n(.*?)```", _section("bench"), re.DOTALL)
    assert block is not None
    assert all(line.startswith("$ mistral7b bench") for line in block[1].splitlines())
    assert "`$ " not in DOCUMENT


def test_an_environment_variable_has_its_option() -> None:
    assert re.search(r"\| `MISTRAL7B_ENVIRONMENTS` \| .* `--environments`", DOCUMENT)


def test_the_name_of_a_page_is_a_link() -> None:
    assert "[benchmark.md](benchmark.md)" in _section("bench")
    assert not re.search(r"(?<![(\w/])docs/[a-z-]+\.md", DOCUMENT)


def _only_command(function: Any) -> str:
    app = typer.Typer()
    app.command("one", rich_help_panel="Panel")(function)
    app.callback()(lambda: None)
    (command,) = command_reference._commands(typer.main.get_group(app), "mistral7b", None)
    command.command.epilog = ""
    return command_reference._section(command)


def test_a_required_option_is_marked() -> None:
    def one(name: Annotated[str, typer.Option(metavar="NAME", help="A name.")]) -> None:
        """Do it."""

    assert "| `--name NAME` | required | A name. |" in _only_command(one)


def test_a_hidden_option_is_left_out() -> None:
    def one(secret: Annotated[bool, typer.Option("--secret", hidden=True)] = False) -> None:
        """Do it."""

    assert "--secret" not in _only_command(one)


def test_an_option_that_may_be_given_again_is_repeatable() -> None:
    def one(tag: Annotated[list[str] | None, typer.Option(metavar="TAG", help="A tag.")] = None) -> None:
        """Do it."""

    assert "| `--tag TAG` |  | A tag. Repeatable. |" in _only_command(one)
