"""Errors of Typer and of files in our words."""

import re
from typing import Any

from mistral7b.errors import FAILED, UserError
from mistral7b.yamlfile import nearest, reason_and_fix

# Errors that Typer tells apart by their words only.
_WORDS = {r"unexpected extra argument\S* \((.*)\)$": "takes no argument", r"No such command '(.*?)'": "has no command"}


def in_our_words(error: Any) -> UserError:
    """What is wrong with the arguments, or with a file that is read or written, and the fix."""
    if isinstance(error, OSError):
        fix = "name another file" if error.filename else "send the output elsewhere, or make room"
        return UserError(f"{error.filename or 'the output'}: {error.strerror or error}\nfix: {fix}", FAILED)
    context: Any = getattr(error, "ctx", None)
    kind = type(error).__name__
    command = context.command_path if context else "mistral7b"
    told, fix = error.format_message(), f"see {command} --help"
    if kind == "BadOptionUsage":
        needs, value = ("needs a", " VALUE") if "requires" in told else ("takes no", "")
        told, fix = f"{error.option_name} {needs} value", f"write {error.option_name}{value}"
    elif kind == "MissingParameter":
        told = f"{command} needs {_name(error.param)}"
    elif kind == "BadParameter":
        told, fix = _wrong_value(error)
    else:
        found = {words: match[1] for text, words in _WORDS.items() if (match := re.search(text, told))}
        found |= {"has no option": error.option_name} if kind == "NoSuchOption" else {}
        known = [*getattr(context.command, "commands", ()), *(o for one in context.command.params for o in one.opts)]
        for words, name in found.items():
            guess = nearest(name, known)
            told, fix = f"{command} {words} {name}", f"did you mean {guess}?" if guess else fix
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
