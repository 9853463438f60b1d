"""Typer's errors of usage in our words."""

import re
from collections.abc import Iterable
from typing import Any

from typer.exceptions import TyperException

from mistral7b.errors import UserError
from mistral7b.yamlfile import nearest, reason_and_fix


def usage_error(error: TyperException) -> UserError:
    """What is wrong with the arguments, and the fix."""
    context: Any = getattr(error, "ctx", None)
    parameter: Any = getattr(error, "param", None)
    command, option = context.command_path if context else "mistral7b", getattr(error, "option_name", "")
    fix, cause = f"see {command} --help", error.__cause__
    match type(error).__name__:
        case "NoSuchOption":
            told = f"{command} has no option {option}"
            guess = nearest(option, [name for one in context.command.params for name in one.opts])
            fix = f"did you mean {guess}?" if guess else fix
        case "BadOptionUsage":
            needs_one = "requires" in error.message
            told = f"{option} {'needs a' if needs_one else 'takes no'} value"
            fix = f"write {option}{' VALUE' if needs_one else ''}"
        case "MissingParameter":
            told = f"{command} needs {_name(parameter)}"
        case "BadParameter" if cause is not None:
            told, fix = _wrong_value(parameter, cause)
        case _:
            extra = re.search(r"unexpected extra argument\S* \((.*)\)$", error.message)
            told = f"{command} takes no argument {extra[1]}" if extra else error.format_message()
    return UserError(f"{told}\nfix: {fix}")


def no_such_command(command: str, name: str, known: Iterable[str]) -> UserError:
    """The error of a `command` without a command of this `name`."""
    guess = nearest(name, known)
    return UserError(
        f"{command} has no command {name}\nfix: {f'did you mean {guess}?' if guess else f'see {command} --help'}"
    )


def _wrong_value(parameter: Any, cause: Any) -> tuple[str, str]:
    """What a value lacks, and the fix, from pydantic's error."""
    wrong = cause.errors()[0]
    if choices := parameter.type_descriptor.choices:
        wrong = {**wrong, "type": "enum", "ctx": {"expected": ", ".join(map(str, choices))}}
    reason, fix = reason_and_fix(wrong)
    return f"{_name(parameter)} {wrong['input']}: {reason}", fix


def _name(parameter: Any) -> str:
    return str(parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.metavar or parameter.name)
