"""The lines of an endpoint's container in CloudWatch Logs, as people read them.

TGI 1.1.0 writes a line for every request: `Success`, or why it was refused or failed. On SageMaker lines are coloured
text, with the escape character as `#033` (huggingface/text-generation-inference#1763); with JSON_OUTPUT, JSON.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from mistral7b.endpoint.errors import translated

LATE_MS = 120_000
"""How much later than newer ones an event may arrive, and be shown."""
_COLOUR = re.compile(r"(?:\x1b|#033)\[[0-9;]*m")
_TRACED = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z +(TRACE|DEBUG|INFO|WARN|ERROR) +(.*)", re.DOTALL)
# The last one of a line: a span before it may have a request's prompt.
_TARGET = re.compile(r"(?:.*[ :])?text_generation_\w+(?:::\w+)*: *(?:\S+\.rs: *\d+: *)?", re.DOTALL)
_TIMES = re.compile(r'(total_time|queue_time|time_per_token)"?[=:] ?"([\d.]+)([^\d."]+)"')
# In `router/src/infer.rs` a request over MAX_CONCURRENT_REQUESTS is logged so, and a validation error without a prefix.
_OVERLOADED = "no permits available"
_REFUSED = re.compile(rf"{_OVERLOADED}$|(?:Input validation error: )?[^:`]*`\w+`")
_FAILED = re.compile(r"Error: |error: |Traceback |thread '.*' panicked|[\w.]+(?:Error|Exception): |HF_MODEL_ID must")


@dataclass(frozen=True)
class LogLine:
    """A line of the log."""

    time: datetime
    instance: str
    level: str
    """Of a line of TGI; that of the line before, where it goes on; empty if there is none."""
    message: str
    refusal: str | None = None
    """Why a request was refused, in words that are the same for all that were refused so."""

    @property
    def is_error(self) -> bool:
        """Whether something failed, or a request was refused."""
        return self.level == "ERROR"


class LogReader:
    """Reads the log of an endpoint from a time on, without missing or repeating an event."""

    def __init__(self, logs: Any, endpoint: str, since: datetime) -> None:
        self._pages = logs.get_paginator("filter_log_events")
        self._group = f"/aws/sagemaker/Endpoints/{endpoint}"
        self._from_ms = int(since.timestamp() * 1000)
        self._seen = dict[str, int]()
        self._levels = dict[str, str]()

    def read(self) -> Iterator[LogLine]:
        """The lines that have come since it was last called, by time. Raises EndpointError."""
        newest = 0
        with translated():
            for page in self._pages.paginate(logGroupName=self._group, startTime=self._from_ms):
                for event in page["events"]:
                    if event["eventId"] not in self._seen:
                        self._seen[event["eventId"]] = event["timestamp"]
                        newest = max(newest, event["timestamp"])
                        yield self._line(event)
        self._from_ms = max(self._from_ms, newest - LATE_MS)
        self._seen = {event: time for event, time in self._seen.items() if time >= self._from_ms}

    def _line(self, event: dict[str, Any]) -> LogLine:
        stream, time = event["logStreamName"], datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        level, message = parse(event["message"])
        self._levels[stream] = level = level or self._levels.get(stream, "")
        refusal = message.split(" Given: ")[0] if level == "ERROR" and _REFUSED.match(message) else None
        if refusal == _OVERLOADED:
            refusal = "Model is overloaded: MAX_CONCURRENT_REQUESTS are in flight"
        return LogLine(time, stream.rpartition("/")[2], level, message, refusal)


def parse(text: str) -> tuple[str, str]:
    """The level of a line, empty if it has none, and its message, without what a terminal would take as a command."""
    text = "".join(one if one.isprintable() or one in "\n\t" else "\ufffd" for one in _COLOUR.sub("", text)).rstrip()
    if text.startswith("{"):
        try:
            values = json.loads(text)
            message = str(values.get("message") or values["fields"]["message"])
            return str(values["level"]), message + _times(text)
        except (ValueError, KeyError, TypeError):
            return "", text
    traced = _TRACED.fullmatch(text)
    if traced is None:
        return "ERROR" if _FAILED.match(text) else "", text
    target = _TARGET.match(traced[2])
    return traced[1], traced[2][target.end() :] + _times(traced[2]) if target else traced[2]


def _times(text: str) -> str:
    """How long a request took, where the line says so: `, 1.29s in all, 1.28µs queued, 49.3ms a token`."""
    words = {"total_time": "in all", "queue_time": "queued", "time_per_token": "a token"}
    found = [f"{float(value):.3g}{unit} {words[name]}" for name, value, unit in _TIMES.findall(text)]
    return "".join(f", {one}" for one in found)
