"""The errors of TGI 1.1.0, as `router/src/infer.rs` and `server.rs` word them."""

import json
from typing import Self

_STATUS = {"generation": 424, "overloaded": 429, "validation": 422, "incomplete_generation": 500}


class TgiError(Exception):
    """An answer that is an error: HTTP status, TGI's `error_type` and its text in `message`.

    `error_type` is None where not TGI answered but the web framework before it, in plain text.
    """

    def __init__(self, status: int, error_type: str | None, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type
        self.message = message

    @classmethod
    def overloaded(cls) -> Self:
        """As many requests as MAX_CONCURRENT_REQUESTS are in flight."""
        return cls(429, "overloaded", "Model is overloaded")

    @classmethod
    def validation(cls, reason: str) -> Self:
        """The request asks for something that this container does not do."""
        return cls(422, "validation", f"Input validation error: {reason}")

    @classmethod
    def from_body(cls, status: int, body: str) -> Self:
        """The error in the body of an answer, which SageMaker hands on as OriginalMessage with OriginalStatusCode."""
        try:
            values = json.loads(body)
            return cls(status, str(values["error_type"]), str(values["error"]))
        except (ValueError, KeyError, TypeError):
            return cls(status, None, body)

    @classmethod
    def from_event(cls, error_type: str, message: str) -> Self:
        """The error that an event of a stream reports: its status was 200, this is the one it has outside streams."""
        return cls(_STATUS.get(error_type, 500), error_type, message)

    def to_json(self) -> str:
        """The body, or the data of an event."""
        return json.dumps(
            {"error": self.message, "error_type": self.error_type}, ensure_ascii=False, separators=(",", ":")
        )
