"""The commands of a build's phases, in one shell."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from localaws.codebuild.buildspec import PhaseSpec
from localaws.codebuild.output import stamped
from localaws.codebuild.shell import Shell


class Failed(Exception):
    """A phase has failed; the text is CodeBuild's: a status code, a colon, a message."""


class Commands:
    """Runs commands in the order of the buildspec. A context manager: leaving it ends what they have started."""

    def __init__(self, start: Callable[[], Shell]) -> None:
        """Take a function that starts the shell, and another one after a command has ended it by `exit`."""
        self._start = start
        self._shell = start()

    def __enter__(self) -> Commands:
        return self

    def __exit__(self, *_: object) -> None:
        self._shell.end()

    def say(self, text: str) -> None:
        """Write a line of CodeBuild's own to the output."""
        self._shell.say(stamped(text))

    def run(self, name: str, phase: PhaseSpec, *, succeeding: bool) -> None:
        """Run a phase: its commands until one fails, and in any case those of its `finally` block.

        Args:
            name: the phase, as BuildPhaseType has it.
            phase: its commands.
            succeeding: whether no phase has failed so far: CODEBUILD_BUILD_SUCCEEDING.

        Raises:
            Failed: a command has failed.
            Interrupted: the build was stopped, or has taken too long.
        """
        self.say(f"Entering phase {name}")
        for runtime, version in phase.runtimes.items():
            self.say(_runtime(runtime, version))
        self._in_shell(f"export CODEBUILD_BUILD_SUCCEEDING={int(succeeding)}")
        try:
            self._run_all(phase.commands)
        finally:
            if phase.finally_:
                self._run_all(phase.finally_)

    def _run_all(self, commands: Sequence[str]) -> None:
        for command in commands:
            self.say(f"Running command {command}")
            status = self._in_shell(command)
            if status:
                raise Failed(
                    f"COMMAND_EXECUTION_ERROR: Error while executing command: {command}. Reason: exit status {status}"
                )

    def _in_shell(self, command: str) -> int:
        if not self._shell.alive:
            self._shell.end()
            self._shell = self._start()
        return self._shell.run(command)

    def values(self, names: Sequence[str], scratch: Path) -> Mapping[str, str]:
        """The values that variables of the shell have now. Those that are not set are left out."""
        values = {}
        for name in names:
            file = scratch / f"exported-{name}"
            self._in_shell(f'if [ -n "${{{name}+set}}" ]; then printf %s "${name}" >{shlex.quote(str(file))}; fi')
            if file.exists():
                values[name] = file.read_text(encoding="utf-8", errors="replace")
        return values


def _runtime(runtime: str, version: str) -> str:
    """What is said of a runtime version: nothing is installed, and the build has what this machine has."""
    if runtime != "python":
        return f"Runtime {runtime} {version} is asked for; this machine's own is used"
    present = ".".join(map(str, sys.version_info[:3]))
    fits = version == "latest" or present.startswith(f"{version.removesuffix('.x')}.")
    return f"Runtime python {version} is asked for; python3 is {present}" + ("" if fits else ", which is another")
