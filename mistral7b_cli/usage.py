"""Errors of Typer and of files in our words."""

import errno
import re
from typing import Any

from mistral7b.errors import FAILED, WRONG_INPUT, UserError
from mistral7b.yamlfile import nearest, reason_and_fix

_WORDS = {
    r"Option '(.*)' requires": "{1} needs a value",
    r"Option '(.*)' does not take": "{1} takes no value",
    r"No such option: (\S+)": "{0} has no option {1}",
    r"No such command '(.*?)'": "{0} has no command {1}",
    r"extra argument\S* \((.*)\)$": "{0} takes no argument {1}",
}
"""How Typer's messages begin or end, and ours: the command, and what the message names."""


def in_our_words(error: Any) -> UserError:
    """What is wrong with the arguments, or with a file that is read or written, and the fix."""
    if isinstance(error, OSError):
        fix = "name another file" if error.filename else "send the output elsewhere, or make room"
        status = WRONG_INPUT if error.filename and error.errno != errno.ENOSPC else FAILED
        return UserError(f"{error.filename or 'the output'}: {error.strerror or error}\nfix: {fix}", status)
    context: Any = getattr(error, "ctx", None)
    command = context.command_path if context else "mistral7b"
    told, fix = error.format_message(), f"see {command} --help"
    if type(error).__name__ == "MissingParameter":
        told = f"{command} needs {_name(error.param)}"
    elif error.__cause__ is not None:
        told, fix = _wrong_value(error)
    for pattern, words in _WORDS.items():
        if match := re.search(pattern, told):
            own = context.command if context else None  # Typer names no command where an option lacks its value
            known = [name for one in getattr(own, "params", ()) for name in one.opts]
            guess = nearest(match[1], [*known, *getattr(own, "commands", ())])
            told, fix = words.format(command, match[1]), f"did you mean {guess}?" if guess else fix
    return UserError(f"{told}\nfix: {fix}")


def _wrong_value(error: Any) -> tuple[str, str]:
    """What a value lacks, and the fix, from pydantic's error."""
    wrong = error.__cause__.errors()[0]
    if choices := error.param.type_descriptor.choices:
        wrong = {**wrong, "type": "enum", "ctx": {"expected": ", ".join(map(str, choices))}}
    reason, fix = reason_and_fix(wrong)
    return f"{_name(error.param)} {wrong['input']}: {reason}", fix


def _name(parameter: Any) -> str:
    return str(parameter.opts[0] if parameter.opts[0].startswith("-") else parameter.metavar or parameter.name)
