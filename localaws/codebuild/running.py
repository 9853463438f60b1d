"""A build on its way through its phases.

https://docs.aws.amazon.com/codebuild/latest/userguide/view-build-details-phases.html
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from localaws import roles
from localaws.codebuild import archives, artifacts, buildspec, credentials, environment, settings
from localaws.codebuild.archives import BadArchive
from localaws.codebuild.builds import Build
from localaws.codebuild.buildspec import PHASES, Buildspec, BuildspecError, PhaseSpec
from localaws.codebuild.commands import Commands, Failed
from localaws.codebuild.output import NotAllowed, Output, stamped
from localaws.codebuild.shell import Interrupted, Shell
from localaws.codebuild.workspace import Workspace

_POLL_S = 0.1

_REASONS = {
    "STOPPED": "BUILD_STOPPED: Build has been stopped",
    "TIMED_OUT": "BUILD_TIMED_OUT: Build has timed out.",
}


@dataclass(frozen=True)
class Request:
    """What a build is made of; see `runner.run`."""

    build: Build
    workspace: Workspace
    sources: Mapping[str, Path]
    primary: str
    variables: Mapping[str, str]
    cancelled: threading.Event


class Running:
    """A build that is running."""

    def __init__(self, request: Request, output: Output) -> None:
        self.outputs: dict[str, Path] = {}
        """The archives of its artifacts."""
        self._request, self._output = request, output
        self._build, self._workspace = request.build, request.workspace
        self._deadline = time.monotonic() + 60 * self._build.project["queuedTimeoutInMinutes"]
        self._result = "SUCCEEDED"

    def run(self) -> None:
        """Go through the phases."""
        with self._phase("SUBMITTED"):
            pass
        with self._turn() as ours:
            if ours:
                self._deadline = time.monotonic() + 60 * self._build.project["timeoutInMinutes"]
                self._run_as_its_role()
        self._build.begin("FINALIZING").end("SUCCEEDED")
        self._build.begin("COMPLETED").end("SUCCEEDED")
        self._build.status = self._result

    def fault(self, reason: str) -> None:
        """Record that the build could not be carried through."""
        for phase in self._build.phases:
            if phase.status is None:
                phase.end("FAULT", reason)
        self._build.status = "FAULT"

    def discard(self) -> None:
        """Delete the artifacts."""
        artifacts.discard(self.outputs)
        self.outputs.clear()

    def _stop(self) -> str | None:
        """The status with which the build is to end before its time, or None."""
        if self._request.cancelled.is_set() or self._build.stop.is_set():
            return "STOPPED"
        return "TIMED_OUT" if time.monotonic() > self._deadline else None

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        """A phase. How it ends is in its record, and decides on the build."""
        phase = self._build.begin(name)
        try:
            yield
        except Failed as error:
            phase.end("FAILED", str(error))
        except Interrupted as error:
            phase.end(str(error), _REASONS[str(error)])
        else:
            phase.end("SUCCEEDED")
        if phase.reason:
            code, _, message = phase.reason.partition(": ")
            self._output.write(stamped(f"Phase context status code: {code} Message: {message}"))
        if self._result == "SUCCEEDED":
            self._result = str(phase.status)

    @contextlib.contextmanager
    def _turn(self) -> Iterator[bool]:
        """Waits for the account's other builds. Whether it was this build's turn before it was stopped."""
        lock = self._workspace.lock
        with self._phase("QUEUED"):
            while not lock.acquire(timeout=_POLL_S):
                if reason := self._stop():
                    raise Interrupted(reason)
        if self._result != "SUCCEEDED":
            yield False
            return
        try:
            yield True
        finally:
            lock.release()

    def _run_as_its_role(self) -> None:
        with self._phase("PROVISIONING"):
            try:
                grant = credentials.grant(self._build)
                self._output.open()
            except roles.AccessDenied as error:
                raise Failed(f"ACCESS_DENIED: {error.message}") from error
            except NotAllowed as error:
                raise Failed(f"ACCESS_DENIED: {error}") from error
        if self._result != "SUCCEEDED":
            return
        try:
            with self._phase("DOWNLOAD_SOURCE"):
                spec, inputs = self._download()
            if self._result == "SUCCEEDED":
                variables = self._environment(spec, inputs, grant)
                if self._run_commands(spec, variables):
                    self._upload(spec)
        finally:
            credentials.revoke(self._build)

    def _download(self) -> tuple[Buildspec, dict[str, Path]]:
        """The buildspec, and the folders of the inputs other than the primary one."""
        try:
            spec = buildspec.parse(self._buildspec())
            others = sorted(set(self._request.sources) - {self._request.primary})
            inputs = self._workspace.prepare(self._cached(spec), others)
            environment.write_commands(self._workspace.commands)
            for name, archive in self._request.sources.items():
                archives.unpack(archive, inputs.get(name, self._workspace.source))
        except BuildspecError as error:
            raise Failed(f"YAML_FILE_ERROR: {error}") from error
        except BadArchive as error:
            raise Failed(f"CLIENT_ERROR: {error}") from error
        return spec, inputs

    def _buildspec(self) -> str:
        """The text in the project, or of the file of the source that it names: by default buildspec.yml."""
        given = self._build.project["source"].get("buildspec") or "buildspec.yml"
        if "\n" in given or given.lstrip().startswith("{"):
            return str(given)
        archive = self._request.sources.get(self._request.primary)
        text = archives.read(archive, given) if archive else None
        if text is None:
            raise BuildspecError(f"{given} does not exist")
        return text

    def _cached(self, spec: Buildspec) -> tuple[str, ...]:
        """The files of an earlier build that stay."""
        cache = self._build.project["cache"]
        return spec.cache if "LOCAL_CUSTOM_CACHE" in cache.get("modes", []) else ()

    def _environment(self, spec: Buildspec, inputs: Mapping[str, Path], grant: credentials.Grant) -> dict[str, str]:
        own = environment.of_build(self._build, self._workspace.source, inputs)
        return {
            **environment.inherited(os.environ, Path.home()),
            "HOME": str(self._workspace.home),
            "PATH": environment.search_path(os.environ, Path(sys.prefix), self._workspace.commands),
            "GIT_CEILING_DIRECTORIES": str(self._workspace.root),  # the source is in no repository of this machine's
            **own,
            **grant.environment(settings.current().url),
            **spec.variables,
            **dict(environment.of_project(self._build)),
            **self._request.variables,
            **{name: value for name, value in own.items() if name.startswith("CODEBUILD_")},
        }

    def _run_commands(self, spec: Buildspec, variables: Mapping[str, str]) -> bool:
        """Run the phases with commands. Whether the last of them has been reached and has ended by itself."""

        def start() -> Shell:
            scratch = Path(tempfile.mkdtemp(dir=self._workspace.scratch))
            return Shell(
                spec.shell,
                environment=variables,
                folder=self._workspace.source,
                scratch=scratch,
                write=self._output.write,
                stop=self._stop,
            )

        with Commands(start) as commands:
            for name in PHASES:
                succeeding = self._result == "SUCCEEDED"
                # a build that has failed goes on with post_build, but nothing follows what has failed before it
                if not succeeding and not (name == "post_build" and self._build.phases[-1].name == "BUILD"):
                    return False
                self._run_phase(name, spec, commands, succeeding)
                if self._result in _REASONS:
                    return False
            self._build.exported.update(commands.values(spec.exported, self._workspace.scratch))
        return True

    def _run_phase(self, name: str, spec: Buildspec, commands: Commands, succeeding: bool) -> None:
        with self._phase(name.upper()):
            commands.run(name.upper(), spec.phases.get(name, PhaseSpec()), succeeding=succeeding)
        status = self._build.phases[-1].status
        if status not in _REASONS:
            commands.say(f"Phase complete: {name.upper()} State: {status}")

    def _upload(self, spec: Buildspec) -> None:
        """Pack the artifacts: always attempted, even when the BUILD phase has failed."""
        with self._phase("UPLOAD_ARTIFACTS"):
            self.outputs = artifacts.collect(spec, self._workspace.source, self._workspace.outputs(self._build.uuid))
