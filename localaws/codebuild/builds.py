"""CodeBuild's builds: the records of those that have run or are running."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

PHASES = (
    "SUBMITTED",
    "QUEUED",
    "PROVISIONING",
    "DOWNLOAD_SOURCE",
    "INSTALL",
    "PRE_BUILD",
    "BUILD",
    "POST_BUILD",
    "UPLOAD_ARTIFACTS",
    "FINALIZING",
    "COMPLETED",
)
"""BuildPhaseType, in order."""


@dataclass
class Phase:
    """A phase of a build. `status` is None while it lasts."""

    name: str
    started: datetime
    ended: datetime | None = None
    status: str | None = None
    reason: str = ""
    """Why it failed, as CodeBuild's phase contexts put it: a code, a colon, a message."""

    def end(self, status: str, reason: str = "") -> None:
        """Record how it went."""
        self.ended, self.status, self.reason = datetime.now(UTC), status, reason

    def described(self) -> dict[str, Any]:
        """The phase as BatchGetBuilds shows it."""
        shown: dict[str, Any] = {"phaseType": self.name, "startTime": self.started}
        if self.ended and self.status:
            seconds = round((self.ended - self.started).total_seconds())
            shown |= {"phaseStatus": self.status, "endTime": self.ended, "durationInSeconds": seconds}
        if self.reason:
            code, _, message = self.reason.partition(": ")
            shown["contexts"] = [{"statusCode": code, "message": message}]
        return shown


@dataclass
class Build:
    """A build of a project."""

    account: str
    region: str
    project: Mapping[str, Any]
    initiator: str
    number: int
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    ended: datetime | None = None
    status: str = "IN_PROGRESS"
    phases: list[Phase] = field(default_factory=list)
    exported: dict[str, str] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)
    """Set by StopBuild."""

    @property
    def id(self) -> str:
        """Its id: the project's name, a colon and a UUID."""
        return f"{self.project['name']}:{self.uuid}"

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:codebuild:{self.region}:{self.account}:build/{self.id}"

    @property
    def log_group(self) -> str | None:
        """The log group of its output; None where the project has turned logs off."""
        config = self._logs_config
        if config["status"] == "DISABLED":
            return None
        return str(config.get("groupName") or f"/aws/codebuild/{self.project['name']}")

    @property
    def log_stream(self) -> str:
        """The log stream of its output."""
        prefix = self._logs_config.get("streamName")
        return f"{prefix}/{self.uuid}" if prefix else self.uuid

    @property
    def _logs_config(self) -> Mapping[str, Any]:
        config: Mapping[str, Any] = self.project.get("logsConfig", {}).get("cloudWatchLogs", {"status": "ENABLED"})
        return config

    def begin(self, name: str) -> Phase:
        """Start a phase."""
        phase = Phase(name, datetime.now(UTC))
        self.phases.append(phase)
        return phase

    def described(self) -> dict[str, Any]:
        """The build as BatchGetBuilds shows it."""
        shown = {
            "id": self.id,
            "arn": self.arn,
            "buildNumber": self.number,
            "startTime": self.started,
            "currentPhase": self.phases[-1].name if self.phases else PHASES[0],
            "buildStatus": self.status,
            "projectName": self.project["name"],
            "phases": [phase.described() for phase in self.phases],
            "buildComplete": self.ended is not None,
            "initiator": self.initiator,
            "logs": self._logs(),
            "exportedEnvironmentVariables": [{"name": name, "value": text} for name, text in self.exported.items()],
        }
        copied = (
            "source",
            "cache",
            "environment",
            "serviceRole",
            "timeoutInMinutes",
            "queuedTimeoutInMinutes",
            "encryptionKey",
        )
        shown |= {name: self.project[name] for name in copied}
        return shown | ({"endTime": self.ended} if self.ended else {})

    def _logs(self) -> dict[str, Any]:
        if self.log_group is None:
            return {"cloudWatchLogs": {"status": "DISABLED"}}
        arn = f"arn:aws:logs:{self.region}:{self.account}:log-group:{self.log_group}:log-stream:{self.log_stream}"
        return {
            "groupName": self.log_group,
            "streamName": self.log_stream,
            "cloudWatchLogsArn": arn,
            "cloudWatchLogs": {"status": "ENABLED"},
        }


_BUILDS: dict[tuple[str, str], dict[str, Build]] = {}
_NUMBERS: dict[str, int] = {}
_LOCK = threading.Lock()


def start(account: str, region: str, project: Mapping[str, Any], initiator: str) -> Build:
    """A new build, which the others can see from now on."""
    with _LOCK:
        number = _NUMBERS[project["arn"]] = _NUMBERS.get(project["arn"], 0) + 1
        build = Build(account, region, dict(project), initiator, number)
        _BUILDS.setdefault((account, region), {})[build.id] = build
        return build


def of(account: str, region: str) -> dict[str, Build]:
    """The builds of an account and region by id, newest first."""
    with _LOCK:
        return dict(reversed(_BUILDS.get((account, region), {}).items()))


def running() -> Iterator[Build]:
    """The builds that have not ended, in every account and region."""
    with _LOCK:
        builds = [build for found in _BUILDS.values() for build in found.values()]
    return (build for build in builds if build.ended is None)
