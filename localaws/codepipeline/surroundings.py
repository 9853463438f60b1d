"""What pipelines run in: the other services of the embedded AWS."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from localaws.codepipeline.actions import cloudformation, codebuild, source
from localaws.codepipeline.events import Events
from localaws.codepipeline.execution import ActionRun, Execution, Outcome, StageRun
from localaws.codepipeline.pipeline import ActionFailed
from localaws.codepipeline.variables import Unresolved, resolve

_PERFORM: Mapping[str, Callable[[ActionRun], Outcome]] = {
    "CodeStarSourceConnection": source.perform,
    "CodeBuild": codebuild.perform,
    "CloudFormation": cloudformation.perform,
}
"""Provider -> runs an action to its end, in the calling thread. Raises ActionFailed."""


class EmbeddedAws:
    """Actions that do what they say."""

    def __init__(self) -> None:
        self._events = Events()

    def perform(self, run: ActionRun) -> Outcome:
        """Run an action to its end. Raises ActionFailed."""
        _resolve(run)
        return _PERFORM[run.action.type[2]](run)

    def ask(self, run: ActionRun) -> None:
        """Nobody is told of an approval: whoever is to answer looks. Raises ActionFailed."""
        _resolve(run)

    def changed(self, execution: Execution, stage: StageRun | None, run: ActionRun | None, state: str) -> None:
        """Send an event."""
        self._events.put(execution, stage, run, state)

    def expire(self, run: ActionRun, seconds: float, expired: Callable[[], None]) -> None:
        """Call `expired` if the action has not ended after so many seconds."""

        def wait() -> None:
            if not run.over.wait(seconds):
                expired()

        threading.Thread(target=wait, name=f"time limit of {run.action.name}", daemon=True).start()


def _resolve(run: ActionRun) -> None:
    try:
        run.configuration = resolve(run.action.configuration, run.execution.namespaces)
    except Unresolved as error:
        raise ActionFailed("ConfigurationError", str(error)) from error
