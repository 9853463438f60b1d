"""The event-stream encoding, against botocore's decoder."""

import json

from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.tgi import StreamParser
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


def _recut(parts: list[bytes]) -> list[bytes]:
    recut = eventstream.Recut()
    return [*(cut for part in parts for cut in recut.cut(part)), recut.held]


@given(st.lists(st.binary(max_size=200), max_size=20))
def test_recut_parts_have_the_same_bytes_and_the_same_cuts_each_time(parts: list[bytes]) -> None:
    got = _recut(parts)
    assert b"".join(got) == b"".join(parts)
    assert got == _recut(parts)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=20), min_size=1, max_size=20))
def test_the_parser_reads_events_wherever_they_are_cut(texts: list[str]) -> None:
    token = {"id": 1, "logprob": 0.0, "special": False}
    events = [f"data:{json.dumps({'token': token | {'text': text}}, ensure_ascii=False)}\n\n" for text in texts]
    parser = StreamParser()
    got = [event for part in _recut([event.encode() for event in events]) for event in parser.feed(part)]
    assert [event.token.text for event in got] == texts
