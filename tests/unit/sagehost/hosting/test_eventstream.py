"""The event-stream encoding, against botocore's decoder."""

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from sagehost.hosting import eventstream


@given(st.lists(st.binary(max_size=2000), max_size=4))
def test_botocore_decodes_payload_parts(payloads: list[bytes]) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(map(eventstream.payload_part, payloads)))
    decoded = [(one.headers[":message-type"], one.headers[":event-type"], one.payload) for one in buffer]
    assert decoded == [("event", "PayloadPart", payload) for payload in payloads]


def test_botocore_decodes_an_exception() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(eventstream.exception("ModelStreamError", b"{}"))
    (message,) = buffer
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "ModelStreamError"
    assert message.payload == b"{}"
