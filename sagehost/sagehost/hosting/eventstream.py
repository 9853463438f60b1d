"""Messages of the `application/vnd.amazon.eventstream` encoding, which botocore can only decode."""

from collections.abc import AsyncGenerator
from zlib import crc32

from moto.core.eventstream import EventStreamEncoder


async def recut(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A container's bytes, cut elsewhere: some parts come as two, and the end of some with the next part.

    SageMaker promises the order of bytes alone (AWS Machine Learning Blog, "Introducing streaming support in Amazon
    SageMaker hosting"). The same answer is always cut alike, maybe inside a character. Nothing of the first part waits.
    """
    held = b""
    try:
        index = 0
        async for part in parts:
            code = crc32(part, index)
            at = 1 + code // 4 % len(part) if part and code % 4 < 2 else len(part)
            yield held + part[:at]
            held = part[at:]
            if held and (index == 0 or code % 4):  # the rest of others waits for the next part
                yield held
                held = b""
            index += 1
    except Exception:  # what the container sent before comes before its error
        if held:
            yield held
        raise
    if held:
        yield held


def payload_part(payload: bytes) -> bytes:
    """The event that carries a part of a response's body."""
    return _message("event", "PayloadPart", "application/octet-stream", payload)


def exception(exception_type: str, payload: bytes) -> bytes:
    """The message that ends a stream with an error of this type; its members are JSON."""
    return _message("exception", exception_type, "application/json", payload)


def _message(kind: str, name: str, content_type: str, payload: bytes) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": content_type, ":message-type": kind}
    return EventStreamEncoder().encode_message(headers, payload)
