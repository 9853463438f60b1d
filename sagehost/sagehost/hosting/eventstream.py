"""Messages of the `application/vnd.amazon.eventstream` encoding, which botocore can only decode.

Format: https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html. A message is its total length, the length of
its headers, a CRC-32 of these two, the headers, the payload, and a CRC-32 of all before it; numbers are big-endian.
"""

import struct
from binascii import crc32
from collections.abc import Mapping

_STRING = 7  # the header value type


def encode_message(headers: Mapping[str, str], payload: bytes) -> bytes:
    """One message; header values are strings."""
    encoded = b"".join(_header(name.encode(), value.encode()) for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(encoded) + len(payload), len(encoded))
    message = b"".join((prelude, struct.pack("!I", crc32(prelude)), encoded, payload))
    return message + struct.pack("!I", crc32(message))


def _header(name: bytes, value: bytes) -> bytes:
    return struct.pack("!B", len(name)) + name + struct.pack("!BH", _STRING, len(value)) + value


def payload_part(payload: bytes) -> bytes:
    """The event that carries a part of a response's body."""
    return _typed("event", "PayloadPart", "application/octet-stream", payload)


def exception(exception_type: str, payload: bytes) -> bytes:
    """The message that ends a stream with an error of this type; its members are JSON."""
    return _typed("exception", exception_type, "application/json", payload)


def _typed(kind: str, name: str, content_type: str, payload: bytes) -> bytes:
    return encode_message({f":{kind}-type": name, ":content-type": content_type, ":message-type": kind}, payload)
