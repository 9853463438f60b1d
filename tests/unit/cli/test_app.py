"""The command's parts: all in the help, each imported only when it is called."""

import re
import shlex
import subprocess
import sys
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest
import typer

import mistral7b_cli
from mistral7b_cli.app import _PANELS, _PIPELINE, app
from tests.unit.cli.conftest import run_main

COMMANDS = [[name] for commands in _PANELS.values() for name in commands] + [["pipeline", name] for name in _PIPELINE]

HELP = Path(mistral7b_cli.__file__).with_name("help")
EXAMPLES = re.findall(r"(?m)^\$ (?:.*\| |[A-Z_]+=\w+ )?mistral7b (.*)", "".join(map(Path.read_text, HELP.iterdir())))


def test_the_help_lists_every_command_by_panel(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run_main(monkeypatch, capsys, "--help").out
    assert [panel for panel in _PANELS if panel not in shown] == []
    assert [name for [name] in COMMANDS[:-4] if f" {name} " not in shown] == []


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_that_is_listed_has_a_help_of_its_own(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_main(monkeypatch, capsys, *command, "--help")
    assert (result.status, result.err) == (0, "")
    assert f"mistral7b {' '.join(command)} [" in result.out


@pytest.mark.parametrize("arguments", [["--help"], ["pipeline", "--help"], ["--version"]], ids=" ".join)
def test_the_help_imports_no_command(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom mistral7b_cli import main\n"
        f"sys.argv = ['mistral7b', *{arguments!r}]\n"
        "try:\n    main()\nexcept SystemExit:\n"
        "    sys.exit(' '.join({'boto3', 'numpy', 'sagehost', 'mistral7b.environment'} & set(sys.modules)) or 0)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.parametrize("command", [[], *COMMANDS, ["capacity", "fit"], ["local", "up"]], ids=" ".join)
def test_the_help_shows_no_types_of_python(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = run_main(monkeypatch, capsys, *command, "--help").out
    assert re.findall(r"<\w[^>]*>|\[x[<>]|\[\[|\{[A-Z|]+\}|…│", shown) == []


def test_examples_of_the_help_are_lines_with_a_prompt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = [line.strip() for line in run_main(monkeypatch, capsys, "chat", "--help").out.splitlines()]
    at = lines.index("$ mistral7b chat dev")
    assert lines[at + 1] == "$ mistral7b chat dev -p temperature=0.7 -p max_new_tokens=500"


def test_misspelt_command_suggests_the_nearest(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    result = run_main(monkeypatch, capsys, "pipeline", "chek")
    assert result.status == 2
    assert result.err == "mistral7b: mistral7b pipeline has no command chek\nfix: did you mean check?\n"


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_of_the_help_are_arguments_that_the_command_takes(example: str) -> None:
    command: Any = typer.main.get_command(app)
    context = command.make_context("mistral7b", ["models"])
    arguments = [*takewhile(lambda one: one not in ("|", "&&"), shlex.split(example, comments=True))]
    while hasattr(command, "commands"):
        name, command, arguments = command.resolve_command(context, arguments)
    assert command.make_context(name, arguments, parent=context).params


def test_every_text_of_the_help_is_that_of_a_command() -> None:
    names = {"_".join(command).replace("-", "_") for command in COMMANDS}
    assert [file.name for file in HELP.iterdir() if file.stem not in names] == []
