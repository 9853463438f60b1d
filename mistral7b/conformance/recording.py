"""Records what botocore sends to AWS and what AWS answers, by botocore's event hooks."""

import re
from collections.abc import Callable
from time import monotonic
from typing import Any

import jmespath
from botocore.exceptions import ClientError

from mistral7b.conformance.redaction import Redactor
from mistral7b.operate.calls import denied, needed

Entry = dict[str, Any]


class Recorder:
    """Gives an entry of each call to `write`, redacted. Attach it before any client is made.

    Calls repeated by one step become one entry, with the times at which the watched value changed.
    """

    def __init__(
        self, write: Callable[[Entry], None], redactor: Redactor, clock: Callable[[], float] = monotonic
    ) -> None:
        self._write, self._redactor, self._clock, self._began = write, redactor, clock, clock()
        self._last: Entry = {}
        self._step, self._expected, self._watched = "", "", ""

    def attach(self, events: Any) -> None:
        """Registers with the events of a boto3 session."""
        events.register("before-parameter-build", self._sent)
        events.register("after-call", self._answered)
        events.register("after-call-error", self._failed)

    def begin(self, step: str, expected: str = "", watched: str = "") -> None:
        """Begins a step: the error code that it expects (a pattern), and the value for which it repeats its call."""
        self.flush()
        self._step, self._expected, self._watched = step, expected, watched

    def skip(self, step: str, operation: str, why: str) -> None:
        """Records that a step was not recorded."""
        self._last = {"step": step, "operation": operation, "not_recorded": why}
        self.flush()

    def flush(self) -> None:
        """Writes the entry of the last call."""
        last, self._last = self._last, {}
        if last:
            self._write(last)

    def _sent(self, params: Entry, model: Any, context: Entry, **_: Any) -> None:
        call = {"operation": f"{model.service_model.service_name}.{model.name}", "request": self._redactor(params)}
        context["recorded"] = {"step": self._step, **call, "at": round(self._clock() - self._began, 3)}

    def _answered(self, parsed: Entry, model: Any, context: Entry, **_: Any) -> None:
        error, status = parsed.get("Error", {}), parsed["ResponseMetadata"]["HTTPStatusCode"]
        code = error.get("Code", "") if status >= 300 else ""
        refusal = ClientError(parsed, model.name)
        if code and denied(refusal) and not re.fullmatch(self._expected, code):
            why = f"needs {needed(refusal, [f'{model.service_model.signing_name}:{model.name}'])}"
            self.skip(self._step, context["recorded"]["operation"], why)
            return
        answer = {} if code else {key: one for key, one in parsed.items() if key != "ResponseMetadata"}
        self._add(context, status, code, error.get("Message", ""), answer)

    def _failed(self, exception: Exception, context: Entry, **_: Any) -> None:
        self._add(context, 0, type(exception).__name__, str(exception), {})

    def _add(self, context: Entry, status: int, error: str, message: str, answer: Any) -> None:
        now = round(self._clock() - self._began, 3)
        entry = self._last or context["recorded"]
        outcome = {
            "status": status,
            "error": error,
            "message": self._redactor(message),
            "answer": self._redactor(answer),
        }
        self._last = {**entry, **outcome, "seconds": round(now - entry["at"], 3)}
        if self._watched:
            value = error or self._redactor(jmespath.search(self._watched, answer))
            changes = self._last.setdefault("changes", [])
            self._last["watched"] = self._watched
            if not changes or changes[-1][1] != value:
                changes.append([now, value])
        else:
            self.flush()
