"""The output of a build, on its way to CloudWatch Logs: in batches, as a request for each line would take its time."""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime

from botocore.exceptions import ClientError

from localaws import moto_app
from localaws.codebuild.builds import Build

_EVERY_S = 0.5
_LARGEST_BATCH = 1_000
_LONGEST = 64_000
"""Characters of one event: with four bytes each, 256,000, of the 262,118 that PutLogEvents allows."""

LOG = logging.getLogger(__name__)


def stamped(text: str) -> str:
    """A line of CodeBuild's own."""
    return f"[Container] {datetime.now(UTC):%Y/%m/%d %H:%M:%S.%f} {text}"


class Output:
    """Takes lines, and writes them to the build's log stream twice a second, and all of them when it is left."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._lines: list[tuple[int, str]] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._writer = threading.Thread(target=self._write_often, daemon=True)

    def __enter__(self) -> Output:
        if self._build.log_group is not None:
            self._create_stream()
            self._writer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._writer.is_alive():
            self._writer.join()
        self._flush()

    def write(self, line: str) -> None:
        """Take a line, without its end."""
        now = round(time.time() * 1000)
        with self._lock:
            # an event cannot be empty
            self._lines += [(now, line[at : at + _LONGEST] or " ") for at in range(0, len(line) or 1, _LONGEST)]

    def _create_stream(self) -> None:
        group, stream = self._build.log_group, self._build.log_stream
        logs = moto_app.client("logs", self._build.account, self._build.region)
        try:
            logs.create_log_group(logGroupName=group)
        except logs.exceptions.ResourceAlreadyExistsException:
            LOG.debug("log group %s exists", group)
        logs.create_log_stream(logGroupName=group, logStreamName=stream)

    def _write_often(self) -> None:
        while not self._ended.wait(_EVERY_S):
            self._flush()

    def _flush(self) -> None:
        group = self._build.log_group
        with self._lock:
            lines, self._lines = self._lines, []
        if group is None:
            return
        logs = moto_app.client("logs", self._build.account, self._build.region)
        for at in range(0, len(lines), _LARGEST_BATCH):
            events = [{"timestamp": time, "message": line} for time, line in lines[at : at + _LARGEST_BATCH]]
            try:
                logs.put_log_events(logGroupName=group, logStreamName=self._build.log_stream, logEvents=events)
            except ClientError as error:  # somebody has deleted the group: the build goes on without its log
                LOG.warning("the output of %s is lost: %s", self._build.id, error)
