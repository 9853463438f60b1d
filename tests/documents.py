"""Pages of Markdown whose commands run and whose outputs are compared, in the order of the page.

- A block `console` holds commands, `$ COMMAND`, each with the output that the page shows of it, or with none. Each has
  to succeed, unless the line before the block is `<!-- exit status N -->`.
- A block with a file's name, in `title="PATH"` of its fence or in its first line, `# PATH`, is written into the folder;
  with `# add to PATH` its lines are added to that file.
- `<!-- not run: REASON -->` on the line before a block leaves it out.

An output is compared up to times, durations, ids and ports. A line `…` stands for any number of lines, `…` within a
line for any text. All commands of a page run in one bash, as in a reader's terminal, but without a standard input.
"""

import difflib
import os
import re
import shlex
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ELIDED = "…"
_PATIENCE_S = 180
_CONTEXT = 10
_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w+)?(?P<settings>[^`]*)$")
_MARK = re.compile(r"^ *<!-- (?:not run: (?P<reason>.*\S)|exit status (?P<status>\d+)) -->$")
_TITLE = re.compile(r"title=\"([^\"]+)\"")
_NAME = re.compile(r"^# (add to )?([\w./-]+\.\w+)(?=\s|$)")
_VARYING = [
    (re.compile(pattern), name)
    for pattern, name in (
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d| UTC)?", "<time>"),
        (r"\b\d{1,2}:\d\d:\d\d(?: [AP]M)?", "<time>"),
        (r"\b(in|after|for|time:) \d+(?:\.\d+)? ?(ms|s|seconds|min|minutes)\b", r"\1 <duration>"),
        (r"^(ok|FAIL) +[\d.]+ s\b", r"\1 <duration>"),
        (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
        (r"\b(vpc|subnet|sg|rtb|eni|vpce|fl|pl)-[0-9a-f]{8,17}\b", r"\1-<id>"),
        (r"\b[0-9a-f]{40}\b|\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,12}\b", "<id>"),
        (r"\b(localhost|127\.0\.0\.1):\d+", r"\1:<port>"),
        (r"\bprocess \d+", "process <id>"),
    )
]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    line: int
    """Of its first line between the fences; the page's first is 1."""
    language: str
    settings: str
    """What stands behind the language in the fence."""
    lines: tuple[str, ...]
    not_run: str | None
    """The reason why its commands or its file are left out."""
    status: int
    """The exit status of its commands."""


@dataclass(frozen=True)
class Command:
    """A command and what the page shows of its output."""

    line: int
    text: str
    shown: tuple[str, ...]
    status: int = 0


@dataclass(frozen=True)
class File:
    """A file that the page shows."""

    line: int
    path: str
    text: str
    added: bool = False
    """Whether its lines are added to those that the file has."""


class DocumentError(AssertionError):
    """What a page shows is not what happens; the text begins with the page and the line."""


def blocks(page: Path) -> Iterator[Block]:
    """The fenced blocks of a page."""
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        fence = _FENCE.match(lines[number])
        number += 1
        if fence is None:
            continue
        closing = f"{fence['indent']}```"
        if closing not in lines[number:]:
            raise DocumentError(f"{page}:{number}: this block has no end")
        end = lines.index(closing, number)
        mark = _MARK.match(lines[number - 2]) if number > 1 else None
        yield Block(
            number + 1,
            fence["language"] or "",
            fence["settings"],
            tuple(line[len(fence["indent"]) :] for line in lines[number:end]),
            mark["reason"] if mark else None,
            int(mark["status"] or 0) if mark else 0,
        )
        number = end + 1


def file_of(block: Block) -> File | None:
    """The file that a block shows, if it has a name."""
    if block.language == "console" or not block.lines:
        return None
    text = "".join(f"{line}\n" for line in block.lines)
    if title := _TITLE.search(block.settings):
        return File(block.line, title[1], text)
    name = _NAME.match(block.lines[0])
    return File(block.line, name[2], text, bool(name[1])) if name else None


def code(page: Path, language: str) -> list[str]:
    """The texts of the page's blocks of a language."""
    return ["".join(f"{line}\n" for line in block.lines) for block in blocks(page) if block.language == language]


def files(page: Path) -> Iterator[File]:
    """The files that a page shows, those that are not run included."""
    return (file for block in blocks(page) if (file := file_of(block)))


def commands(page: Path, block: Block) -> Iterator[Command]:
    """The commands of a block of the language `console`."""
    lines = list(enumerate(block.lines, block.line))
    while lines:
        number, line = lines.pop(0)
        if not line.startswith("$ "):
            raise DocumentError(f"{page}:{number}: a block of commands begins with a command, `$ …`: {line}")
        text = line.removeprefix("$ ")
        while text.endswith("\\"):
            text += f"\n{lines.pop(0)[1]}"
        shown = []
        while lines and not lines[0][1].startswith("$ "):
            shown.append(lines.pop(0)[1])
        yield Command(number, text, tuple(shown), block.status)


def steps(page: Path) -> Iterator[Command | File]:
    """What a reader of the page does, in its order."""
    for block in blocks(page):
        if block.not_run is not None:
            continue
        if block.language == "console":
            yield from commands(page, block)
        elif file := file_of(block):
            yield file


def wrong_line(shown: Sequence[str], printed: Sequence[str]) -> int | None:
    """Index of the first shown line that was not printed there; one beyond the last if more was; None if all fits."""
    expected, found = [_settled(line) for line in shown], [_settled(line) for line in printed]
    ends = {0}  # how many printed lines those up to here can stand for
    for index, line in enumerate(expected):
        if line.strip() == ELIDED:
            ends = set(range(min(ends), len(found) + 1))
        else:
            ends = {end + 1 for end in ends if end < len(found) and _fits(line, found[end])}
        if not ends:
            return index
    return None if len(found) in ends else len(expected)


def compare(page: Path, command: Command, printed: str) -> None:
    """Raises DocumentError where a command printed something else than the page shows."""
    shown, found = _stripped(command.shown), _stripped(printed.splitlines())
    index = wrong_line(shown, found)
    if index is None:
        return
    # A line that differs in times or ids only is no difference to look at.
    told = [line for line in shown if line.strip() != ELIDED]
    same = [next((one for one in told if _fits(_settled(one), _settled(line))), line) for line in found]
    diff = "\n".join(_folded(list(difflib.unified_diff(shown, same, "the page", "printed", lineterm=""))))
    line = command.line + command.text.count("\n") + 1 + index
    raise DocumentError(f"{page}:{line}: `{command.text}` printed something else:\n{diff}")


def _folded(diff: list[str]) -> Iterator[str]:
    """A diff without the middle of long outputs, most of which the page leaves out."""
    for added, group in groupby(diff, lambda line: line.startswith("+")):
        lines = list(group)
        if added and len(lines) > 2 * _CONTEXT:
            yield from lines[:_CONTEXT]
            yield f"… {len(lines) - 2 * _CONTEXT} lines"
            lines = lines[-_CONTEXT:]
        yield from lines


def _stripped(lines: Sequence[str]) -> list[str]:
    """Lines without spaces at their ends, and without empty ones at both ends."""
    return "\n".join(line.rstrip() for line in lines).strip("\n").splitlines()


def _settled(line: str) -> str:
    for pattern, name in _VARYING:
        line = pattern.sub(name, line)
    return line


def _fits(shown: str, printed: str) -> bool:
    """Whether a printed line is the shown one, whose `…` stands for any text."""
    return re.fullmatch(".*".join(map(re.escape, shown.split(ELIDED))), printed) is not None


class Shell:
    """One bash in a folder, which keeps variables and the current folder from command to command."""

    def __init__(self, folder: Path, environ: Mapping[str, str], scratch: Path) -> None:
        """Starts it. `scratch` holds the command and its output meanwhile."""
        self._command, self._output = scratch / "command.sh", scratch / "output.txt"
        own = {"NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
        answers = {"CDK_YES": "true", "CDK_REQUIRE_APPROVAL": "never"}  # to the questions of the CDK CLI
        self._bash = subprocess.Popen(
            ["bash", "--noprofile", "--norc"],
            cwd=folder,
            env={**environ, **own, **answers},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, command: str) -> tuple[int | None, str]:
        """Exit status and output of a command, standard error included.

        Status None: it took too long, or ended the shell.
        """
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._command.write_text(f"{command}\n", encoding="utf-8")
        script, output = shlex.quote(str(self._command)), shlex.quote(str(self._output))
        limit = threading.Timer(_PATIENCE_S, os.killpg, (self._bash.pid, signal.SIGKILL))
        limit.start()
        self._bash.stdin.write(f"{{ . {script}; }} < /dev/null > {output} 2>&1; echo $?\n")
        self._bash.stdin.flush()
        status = self._bash.stdout.readline()
        limit.cancel()
        return int(status) if status else None, self._output.read_text(encoding="utf-8")

    def close(self) -> None:
        """Ends it."""
        self._bash.communicate()


def run(page: Path, folder: Path, environ: Mapping[str, str], scratch: Path) -> int:
    """Does in a folder what a page tells its reader, and returns how many commands that were.

    Raises DocumentError at the first command that ends with another exit status or prints something else than the page
    shows.
    """
    shell, count = Shell(folder, environ, scratch), 0
    try:
        for step in steps(page):
            if isinstance(step, File):
                write(folder, step)
                continue
            count += 1
            status, printed = shell.run(step.text)
            if status != step.status:
                raise DocumentError(
                    f"{page}:{step.line}: `{step.text}` ended with status {status}, not {step.status}:\n{printed}"
                )
            if step.shown:
                compare(page, step, printed)
    finally:
        shell.close()
    return count


def write(folder: Path, file: File) -> None:
    """Writes a file that a page shows."""
    place = folder / file.path
    before = place.read_text(encoding="utf-8") if file.added else ""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(before + file.text, encoding="utf-8")
