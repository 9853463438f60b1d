"""Changes of state, as events on the default bus of EventBridge.

moto delivers events to CloudWatch Logs and SQS. A rule whose target is an SNS topic is matched and delivers nothing.
https://docs.aws.amazon.com/codepipeline/latest/userguide/detect-state-changes-cloudwatch-events.html
"""

from __future__ import annotations

import json
import logging
import queue
import threading
from typing import Any

from localaws import moto_app
from localaws.codepipeline.execution import ActionRun, Execution, StageRun, now

LOG = logging.getLogger(__name__)


class Events:
    """Sends events in their order, in a thread of its own: those that tell of a change have the pipeline locked."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[tuple[str, str, dict[str, Any]]] = queue.SimpleQueue()
        threading.Thread(target=self._send, name="codepipeline events", daemon=True).start()

    def put(self, execution: Execution, stage: StageRun | None, run: ActionRun | None, state: str) -> None:
        """Send an event later."""
        definition = execution.definition
        self._queue.put((definition.account, definition.region, entry(execution, stage, run, state)))

    def _send(self) -> None:
        while True:
            account, region, event = self._queue.get()
            try:
                moto_app.client("events", account, region).put_events(Entries=[event])
            except Exception:
                LOG.exception("event of CodePipeline")  # and the next one


def entry(execution: Execution, stage: StageRun | None, run: ActionRun | None, state: str) -> dict[str, Any]:
    """An event as PutEvents takes it."""
    definition = execution.definition
    detail: dict[str, Any] = {
        "pipeline": definition.name,
        "execution-id": execution.id,
        "start-time": f"{execution.started:%Y-%m-%dT%H:%M:%S.000Z}",
        "state": state,
        "version": float(definition.version),
    }
    if stage:
        detail["stage"] = stage.stage.name
    if run:
        detail["action"] = run.action.name
        detail["action-execution-id"] = run.id
        detail["region"] = run.action.region or definition.region
        detail["type"] = run.action.type_id
    if run and run.outcome.error:
        code, message = run.outcome.error
        detail["execution-result"] = {"error-code": code, "external-execution-summary": message}
    kind = "Action" if run else "Stage" if stage else "Pipeline"
    return {
        "Source": "aws.codepipeline",
        "DetailType": f"CodePipeline {kind} Execution State Change",
        "Detail": json.dumps(detail),
        "Resources": [definition.arn],
        "Time": now(),
    }
