"""The output of a build, on its way to CloudWatch Logs: in batches, as a request for each line would take its time."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from localaws import moto_app
from localaws.codebuild.builds import Build
from localaws.hosting import permissions

_EVERY_S = 0.5
_LARGEST_BATCH = 1_000
_LONGEST = 64_000
"""Characters of one event: with four bytes each, 256,000, of the 262,118 that PutLogEvents allows."""

LOG = logging.getLogger(__name__)


def stamped(text: str) -> str:
    """A line of CodeBuild's own."""
    return f"[Container] {datetime.now(UTC):%Y/%m/%d %H:%M:%S.%f} {text}"


class NotAllowed(Exception):
    """The project's role does not let CodeBuild write the log; the text is CodeBuild's."""


class Output:
    """Takes lines, and writes them to the build's log stream twice a second, and all of them when it is left."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._lines: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._writer: threading.Thread | None = None

    def __enter__(self) -> Output:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._writer is not None:
            self._writer.join()
            self._flush()

    def open(self) -> None:
        """Make the log stream, in the name of the project's role, and begin to write. Before, lines are kept.

        Raises:
            NotAllowed: the role's policies do not allow it.
        """
        if self._build.log_group is None:
            return
        self._create_stream()
        self._writer = threading.Thread(target=self._write_often, daemon=True)
        self._writer.start()

    def write(self, line: str) -> None:
        """Take a line, without its end."""
        now = round(time.time() * 1000)
        with self._lock:
            # an event cannot be empty
            self._lines += [(now, line[at : at + _LONGEST] or " ") for at in range(0, len(line) or 1, _LONGEST)]

    def _create_stream(self) -> None:
        group, stream = self._build.log_group, self._build.log_stream
        logs = moto_app.client("logs", self._build.account, self._build.region)
        found = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        arn = f"arn:aws:logs:{self._build.region}:{self._build.account}:log-group:{group}"
        if group not in [one["logGroupName"] for one in found]:
            self._require("logs:CreateLogGroup", arn)
            logs.create_log_group(logGroupName=group)
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            self._require(action, f"{arn}:log-stream:{stream}")
        logs.create_log_stream(logGroupName=group, logStreamName=stream)

    def _require(self, action: str, resource: str) -> None:
        role = self._build.project["serviceRole"]
        with moto_app.STATE:
            allowed = permissions.allows(role, action, resource, "{}")
        if not allowed:
            raise NotAllowed(
                f"Service role {role} does not allow AWS CodeBuild to create Amazon CloudWatch Logs log streams for "
                f"build {self._build.arn}. Error message: {role} is not authorized to perform: {action} on resource: "
                f"{resource}"
            )

    def _write_often(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._flush()

    def _flush(self) -> None:
        with self._lock:
            lines, self._lines = self._lines, []
        logs = moto_app.client("logs", self._build.account, self._build.region)
        for at in range(0, len(lines), _LARGEST_BATCH):
            events = [{"timestamp": time, "message": line} for time, line in lines[at : at + _LARGEST_BATCH]]
            try:
                logs.put_log_events(
                    logGroupName=self._build.log_group, logStreamName=self._build.log_stream, logEvents=events
                )
            except ClientError as error:  # somebody has deleted the group: the build goes on without its log
                LOG.warning("the output of %s is lost: %s", self._build.id, error)
