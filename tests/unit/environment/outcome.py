"""Loads mutated environment files under limits, and checks what comes of it."""

import contextlib
import re
import resource
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache, reduce
from pathlib import Path
from types import FrameType
from typing import Any
from unittest.mock import patch

from mistral7b.environment import Environment, EnvironmentFileError, Problem, load, load_environment
from mistral7b.yamlfile import FieldPath, Source, dotted, overlay, read, without_nulls
from tests.unit.environment.mutations import Files, sites

SECONDS = 10.0  # of processor time, for one environment: a hang, not a slow machine
BYTES = 1024**3  # beyond what the process had before
LONGEST_MESSAGE = 100_000
_SCHEMA = {"(file)", *(".".join(site.path) for site in sites())}


class Hang(Exception):
    """The time limit has passed."""


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    """Raises Hang in what takes more than SECONDS of the processor's time."""

    def stop(_: int, __: FrameType | None) -> None:
        raise Hang(f"more than {SECONDS} s")

    before = signal.signal(signal.SIGVTALRM, stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


@contextlib.contextmanager
def memory_limit() -> Iterator[None]:
    """Raises MemoryError in what takes more than BYTES; on Linux, as macOS does not enforce the limit."""
    if sys.platform != "linux":
        yield
        return
    before = resource.getrlimit(resource.RLIMIT_DATA)
    status = Path("/proc/self/status").read_text()
    held = int(re.findall(r"VmData:\s+(\d+) kB", status)[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (held + BYTES, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


class Outcomes:
    """What came of the files so far."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "environments"
        self._folder.mkdir()
        self._accepted: dict[str, tuple[Environment, str]] = {}
        self.observed = 0
        self.refused = 0

    def observe(self, files: Files) -> None:
        """Loads the files; any failure shows them as text."""
        self.observed += 1
        texts = {"dev.yaml": files.dev} | ({"common.yaml": files.common} if files.common else {})
        for name, text in texts.items():
            (self._folder / name).write_bytes(text.encode("utf-8", "surrogatepass"))
        wrong: list[str] = []
        sources: dict[str, Source] = {}

        def reading(file: Path, shown: str) -> Source:
            return sources.setdefault(file.name, read(file, shown))

        try:
            with time_limit(), patch.object(load, "read", reading):
                environment = load_environment(self._folder, "dev")
            self._accepted.setdefault(repr(environment), (environment, str(files)))
        except EnvironmentFileError as error:
            self.refused += 1
            wrong = [*_wrong_with(error, texts), *_misplaced(error, sources)]
        except Exception as error:  # noqa: BLE001 - each other exception is a finding
            wrong = [f"{type(error).__name__}: {str(error)[:500]}"]
        assert not wrong, f"{wrong}\nof\n{files}"

    def sample(self, size: int) -> list[tuple[Environment, str]]:
        """Accepted environments and their texts, no two the same, evenly from first to last."""
        accepted = list(self._accepted.values())
        return accepted[:: max(1, -(-len(accepted) // size))]


def _misplaced(error: EnvironmentFileError, sources: Mapping[str, Source]) -> Iterator[str]:
    """Problems with a field that the files do not have, and fields that they have and that are called missing."""
    if any(source.problems for source in sources.values()):  # nothing was validated
        return
    values = without_nulls(reduce(overlay, (sources[name] for name in sorted(sources))).values)
    given = {dotted(path) for path in _paths(values, ())}
    for problem in error.problems:
        missing = problem.reason == "it is required"
        known = re.sub(r"\[[0-9]+\]", "", problem.field) in _SCHEMA
        if (missing and problem.field in given) or (not known and (missing or problem.field not in given)):
            yield f"{problem}: the files have {sorted(given)}"


def _paths(value: Any, path: FieldPath) -> Iterator[FieldPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for part, inside in inner:
        yield (*path, part)
        yield from _paths(inside, (*path, part))


def _wrong_with(error: EnvironmentFileError, texts: dict[str, str]) -> Iterator[str]:
    """What the error's message leaves out, or has that a terminal would obey."""
    message = str(error)
    if not error.problems:
        yield "no problem is told"
    if len(message) > LONGEST_MESSAGE or not all(c.isprintable() or c == "\n" for c in message):
        yield f"not a plain message: {message[:1000]!r}"
    lines = cache(lambda name: re.split("\r\n|\r|\n", texts[name]))
    for problem in error.problems:
        yield from _left_out(problem, texts, lines)


def _left_out(problem: Problem, texts: Mapping[str, str], lines_of: Callable[[str], list[str]]) -> Iterator[str]:
    """What a problem leaves out: file, field, place, reason or fix."""
    if (file := Path(problem.file).name) not in texts:
        yield f"{problem.file} is none of the files"
        return
    if not (problem.field and problem.reason and problem.fix):
        yield f"{problem} leaves something out"
    if problem.line is None:
        return
    lines = lines_of(file)
    if not 1 <= problem.line <= len(lines):
        yield f"{problem}: the file has {len(lines)} lines"
    elif problem.field != "(file)" and not _names_one_of(lines[problem.line - 1], problem.field):
        yield f"{problem}: the line is {lines[problem.line - 1]!r}"


def _names_one_of(line: str, field: str) -> bool:
    """Whether the line has a name of the dotted field, or an item of its list; odd names are written in many ways."""
    odd = not field.isascii() or any(character in field for character in "'\"?")
    return odd or field.endswith("]") or any(part in line for part in re.split(r"[.\[\]]+", field) if part)
