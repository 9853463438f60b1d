"""Messages of the `application/vnd.amazon.eventstream` encoding, which botocore can only decode."""

import struct
from zlib import crc32

from moto.core.eventstream import EventStreamEncoder


class Recut:
    """A container's bytes, cut elsewhere: some parts come as two, and the end of some with the next part.

    SageMaker promises only the order of bytes (AWS Machine Learning Blog, "Introducing streaming support in Amazon
    SageMaker hosting"). The same answer is always cut alike, maybe inside a character. Nothing of the first part waits.
    """

    def __init__(self) -> None:
        self.held = b""
        """What waits for the next part, or for the end."""
        self._index = 0

    def cut(self, part: bytes) -> list[bytes]:
        """What is sent when the container has sent a part."""
        code = crc32(part, self._index)
        at = 1 + code // 4 % len(part) if part and code % 4 < 2 else len(part)
        cuts, self.held = [self.held + part[:at]], part[at:]
        if self.held and (self._index == 0 or code % 4):  # the rest of others waits for the next part
            cuts.append(self.held)
            self.held = b""
        self._index += 1
        return cuts


def payload_part(payload: bytes) -> bytes:
    """The event that carries a part of a response's body."""
    prelude = struct.pack(">II", 16 + len(_PART_HEADERS) + len(payload), len(_PART_HEADERS))
    message = b"".join((prelude, crc32(prelude).to_bytes(4, "big"), _PART_HEADERS, payload))
    return message + crc32(message).to_bytes(4, "big")


def exception(exception_type: str, payload: bytes) -> bytes:
    """The message that ends a stream with an error of this type; its members are JSON."""
    return _message("exception", exception_type, "application/json", payload)


def _message(kind: str, name: str, content_type: str, payload: bytes) -> bytes:
    headers = {f":{kind}-type": name, ":content-type": content_type, ":message-type": kind}
    return EventStreamEncoder().encode_message(headers, payload)


_PART_HEADERS = _message("event", "PayloadPart", "application/octet-stream", b"")[12:-4]
"""Encoded once: every token of every stream has them."""
