"""Runs builds, one of an account at a time, and tells what came of them."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from localaws.codebuild import artifacts, builds, projects, settings
from localaws.codebuild.builds import Phase
from localaws.codebuild.output import Output
from localaws.codebuild.running import Request, Running

LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildResult:
    """What came of a build."""

    status: str
    """SUCCEEDED, FAILED or STOPPED. One that took too long has FAILED."""
    phases: tuple[Phase, ...]
    outputs: Mapping[str, Path]
    """The archives of a successful build's artifacts by their names; the primary one's is "". They are the caller's."""
    exported: Mapping[str, str]
    log_group: str | None
    """None where the project has turned its logs off."""
    log_stream: str
    build_id: str

    @property
    def reason(self) -> str:
        """Why the first phase that did not succeed did not; empty for a build that did."""
        return next((phase.reason or str(phase.status) for phase in self.phases if phase.status != "SUCCEEDED"), "")

    def discard(self) -> None:
        """Delete the archives."""
        artifacts.discard(self.outputs)


def run(
    project_name: str,
    account: str,
    region: str,
    *,
    sources: Mapping[str, Path],
    primary: str,
    environment: Mapping[str, str],
    initiator: str,
    cancelled: threading.Event,
    started: Callable[[str], None] | None = None,
) -> BuildResult:
    """Run a build of a project, and wait until it has ended.

    Builds of one account run one after the other, in the same folder.

    Args:
        project_name: the project.
        account: its account.
        region: its region.
        sources: the zip archives of the input artifacts, by the artifacts' names.
        primary: the name of that which is unpacked into CODEBUILD_SRC_DIR.
        environment: variables beyond the project's, over which they go.
        initiator: who started it, such as `codepipeline/my-pipeline`.
        cancelled: set to end it before its time.
        started: told the build's id as soon as it has one.

    Raises:
        ResourceNotFound: there is no such project.
    """
    project, workspace = projects.get(account, region, project_name), settings.workspace(account)
    build = builds.start(account, region, project, initiator)
    if started is not None:
        started(build.id)
    request = Request(build, workspace, sources, primary, environment, cancelled)
    with Output(build) as output:
        running = Running(request, output)
        try:
            running.run()
        except Exception as error:  # a fault of this server's own must not leave the build running for ever
            LOG.exception("build %s", build.id)
            running.fault(f"INTERNAL_SERVICE_ERROR: {type(error).__name__}: {error}")
    build.ended = datetime.now(UTC)
    if build.status != "SUCCEEDED":
        running.discard()
    return BuildResult(
        status=build.status if build.status in ("SUCCEEDED", "STOPPED") else "FAILED",
        phases=tuple(build.phases),
        outputs=dict(running.outputs),
        exported=dict(build.exported),
        log_group=build.log_group,
        log_stream=build.log_stream,
        build_id=build.id,
    )
