"""What a command reads: prompts and whole requests, and `--parameter NAME=VALUE`, checked as the container would."""

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer

from mistral7b.errors import UserError
from mistral7b.tgi import GenerateParameters, UnreadableRequestError, parse_request
from mistral7b.yamlfile import with_guess

ParameterOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--parameter",
        "-p",
        metavar="NAME=VALUE",
        help="Parameter of the generation, such as max_new_tokens=200, temperature=0.7, stop=###. Repeat for more.",
    ),
]

_HINTS: dict[str, Any] = get_type_hints(GenerateParameters)
_WANTED = {int: "a whole number from 0", float: "a number", bool: "true or false"}
# The container's own words, without what only helps where the JSON was written by hand.
_REASON = re.compile(r"(?:target type|as JSON): (?:parameters\.\S+: )?(.+?)(?: at line \d+ column \d+)?$")


def parse_parameters(options: Sequence[str] | None) -> dict[str, Any]:
    """The values by name, ready for GenerateParameters. Raises UserError of status 2."""
    values: dict[str, Any] = {}
    for option in options or ():
        name, separator, text = option.partition("=")
        name = name.strip()
        if not separator:
            raise UserError(f"--parameter {option}: it has no value\nfix: write NAME=VALUE, such as max_new_tokens=200")
        if name not in _HINTS:
            fix = with_guess(name, _HINTS, f"there are {', '.join(_HINTS)}")
            raise UserError(f"--parameter {option}: there is no parameter {name!r}\nfix: {fix}")
        if _HINTS[name] == list[str]:
            values.setdefault(name, []).append(text)
        elif name in values:
            raise UserError(f"--parameter {option}: {name} is given twice\nfix: give it once")
        else:
            values[name] = _value(option, name, text)
    return {name: value for name, value in values.items() if value is not None}


def _value(option: str, name: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    body = json.dumps({"inputs": "", "parameters": {name: value}}).encode()
    try:
        parse_request("application/json", body)
    except UnreadableRequestError as error:
        reason = _REASON.search(str(error))
        told = f": {reason[1]}" if reason else ""
        raise UserError(f"--parameter {option}: the container refuses it{told}\nfix: give {_wanted(name)}") from None
    return value


def _wanted(name: str) -> str:
    hint = _HINTS[name]
    return next(words for kind, words in _WANTED.items() if hint in (kind, kind | None))


def read_prompt(argument: str | None) -> str:
    """The prompt: the argument, or standard input where that is - or missing. One line end at the end is dropped.

    Raises UserError of status 2, also where someone at a terminal gave no prompt.
    """
    if argument is not None and argument != "-":
        if any("\ud800" <= letter <= "\udfff" for letter in argument):  # how Python keeps bytes that are not UTF-8
            raise UserError("the prompt is not UTF-8")
        return argument
    if argument is None and (sys.stdin is None or sys.stdin.isatty()):
        raise UserError('there is no prompt\nfix: give one, such as "Hello!", or pipe one into the command')
    return decoded(_standard_input()).removesuffix("\n").removesuffix("\r")


def read_bytes(file: Path) -> bytes:
    """The content of a file, or of standard input for -."""
    return _standard_input() if str(file) == "-" else file.read_bytes()


def decoded(data: bytes) -> str:
    """The text in UTF-8. Raises UserError of status 2."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"standard input is not UTF-8: byte {error.start} is {data[error.start]:#04x}") from None


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise UserError("standard input is closed\nfix: give the prompt as an argument")
    return sys.stdin.buffer.read()
