"""What a command reads: prompts and whole requests, from standard input or a file."""

import sys
from pathlib import Path

from mistral7b_cli.failure import CommandError


def read_prompt(argument: str | None) -> str:
    """The prompt: the argument, or standard input where that is - or missing. One line end at the end is dropped.

    Raises CommandError of status 2, also where someone at a terminal gave no prompt.
    """
    if argument is not None and argument != "-":
        _check_argument(argument)
        return argument
    if argument is None and (sys.stdin is None or sys.stdin.isatty()):
        raise CommandError('give a prompt, such as "Hello!", or pipe one into the command', 2)
    return decoded(_standard_input()).removesuffix("\n").removesuffix("\r")


def read_bytes(file: Path) -> bytes:
    """The content of a file, or of standard input for -. Raises CommandError of status 2."""
    if str(file) == "-":
        return _standard_input()
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}", 2) from None


def decoded(data: bytes) -> str:
    """The text in UTF-8. Raises CommandError of status 2."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CommandError(f"standard input is not UTF-8: byte {error.start} is {data[error.start]:#04x}", 2) from None


def _check_argument(argument: str) -> None:
    try:
        argument.encode()
    except UnicodeEncodeError:  # Python keeps bytes that are not UTF-8 as lone surrogates
        raise CommandError("the prompt is not UTF-8", 2) from None


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise CommandError("standard input is closed", 2)
    return sys.stdin.buffer.read()
