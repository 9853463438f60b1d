"""The event-stream encoding, against botocore's decoder."""

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from sagehost.hosting import eventstream

NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
VALUES = st.text(st.characters(codec="utf-8"), max_size=200)


@given(st.lists(st.tuples(st.dictionaries(NAMES, VALUES, max_size=5), st.binary(max_size=2000)), max_size=4))
def test_botocore_decodes_what_was_encoded(messages: list[tuple[dict[str, str], bytes]]) -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(b"".join(eventstream.encode_message(headers, payload) for headers, payload in messages))
    assert [(message.headers, message.payload) for message in buffer] == messages


def test_a_part_of_the_payload_is_an_event() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(eventstream.payload_part(b"data"))
    (message,) = buffer
    assert message.headers[":message-type"] == "event"
    assert message.headers[":event-type"] == "PayloadPart"
    assert message.payload == b"data"


def test_an_error_is_an_exception_message() -> None:
    buffer = EventStreamBuffer()
    buffer.add_data(eventstream.exception("ModelStreamError", b"{}"))
    (message,) = buffer
    assert message.headers[":message-type"] == "exception"
    assert message.headers[":exception-type"] == "ModelStreamError"
