"""Messages of the `application/vnd.amazon.eventstream` encoding, which botocore can only decode."""

from collections.abc import AsyncGenerator
from zlib import crc32

from moto.core.eventstream import EventStreamEncoder


async def recut(parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """A container's bytes in other parts: some of its parts come as two, and the end of some with the next one.

    SageMaker promises no more than the order of bytes (AWS Machine Learning Blog, "Elevating the generative AI
    experience: Introducing streaming support in Amazon SageMaker hosting"). A part's bytes and position say how it is
    cut, so that the same answer always is cut alike; a cut may be inside a character. None is held back if it is the
    first, whose time is measured.
    """
    rest, index = b"", 0
    try:
        async for part in parts:
            cut = crc32(part, index)
            at = 1 + cut // 4 % max(1, len(part) - 1)
            if cut % 4 == 0 and len(part) > 1:  # as two, one right after the other
                yield rest + part[:at]
                rest, part = b"", part[at:]
            held = part[at:] if cut % 4 == 1 and index else b""
            yield rest + part[: len(part) - len(held)]
            rest, index = held, index + 1
    except Exception:  # what came before it has left the container
        if rest:
            yield rest
        raise
    if rest:
        yield rest


def payload_part(payload: bytes) -> bytes:
    """The event that carries a part of a response's body."""
    return _message("event", "PayloadPart", "application/octet-stream", payload)


def exception(exception_type: str, payload: bytes) -> bytes:
    """The message that ends a stream with an error of this type; its members are JSON."""
    return _message("exception", exception_type, "application/json", payload)


def _message(kind: str, name: str, content_type: str, payload: bytes) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": content_type, ":message-type": kind}
    return EventStreamEncoder().encode_message(headers, payload)
