"""Messages of the `application/vnd.amazon.eventstream` encoding, which botocore can only decode."""

from moto.core.eventstream import EventStreamEncoder


def payload_part(payload: bytes) -> bytes:
    """The event that carries a part of a response's body."""
    return _message("event", "PayloadPart", "application/octet-stream", payload)


def exception(exception_type: str, payload: bytes) -> bytes:
    """The message that ends a stream with an error of this type; its members are JSON."""
    return _message("exception", exception_type, "application/json", payload)


def _message(kind: str, name: str, content_type: str, payload: bytes) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": content_type, ":message-type": kind}
    return EventStreamEncoder().encode_message(headers, payload)
