"""Whether an answer is one of TGI 1.1.0 to the request that was sent: fields, counts, reasons, text.

The fields are those of the `Serialize` types of `router/src/lib.rs` of that version. What the text says is not judged:
that would be a test of the weights.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mistral7b.operate.smoke.verdict import Verdict, shortened
from mistral7b.tgi import Generation, StreamEvent, TgiError
from mistral7b.tgi.response import StreamDetails, Token
from mistral7b.tgi.tokenizer import EOS

_GENERATION = frozenset({"generated_text", "details"})
_STREAM_DETAILS = frozenset({"finish_reason", "generated_tokens", "seed"})
_DETAILS = _STREAM_DETAILS | {"prefill", "tokens"}
_TOKEN = frozenset({"id", "text", "logprob", "special"})
_EVENT = frozenset({"token", "generated_text", "details"})

_GENERATIONS = TypeAdapter(tuple[Generation, ...])


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    `prompt` has the ids of the prompt's tokens as mistral-common counts them. `exact_fields`: another field than those
    of TGI 1.1.0 is a fault; where the file names a later version, it is not.
    """

    prompt: tuple[int, ...]
    max_new_tokens: int
    exact_fields: bool = True


def judge_answer(body: bytes, asked: Asked) -> Verdict:
    """The verdict on the body of an answer with `details` and `decoder_input_details`."""
    faults = list(_fields_of_answer(body, asked.exact_fields))
    if faults:
        return _failed(faults, body)
    try:
        (generation,) = _GENERATIONS.validate_json(body, strict=True)
    except ValidationError as error:
        return _failed([f"no answer of TGI: {_reason(error)}"], body)
    details = generation.details
    if details is None:
        return _failed(["details is null"], body)
    ids = tuple(token.id for token in details.prefill)
    if ids != asked.prompt:
        others = ", others" if len(ids) == len(asked.prompt) else ""
        faults.append(f"prompt of {_count(len(ids))}, mistral-common has {len(asked.prompt)}{others}")
    faults += _ending(details, details.tokens, generation.generated_text, asked)
    if faults:
        return _failed(faults, body)
    return Verdict(True, _summary(len(ids), details, generation.generated_text))


def judge_stream(body: bytes, asked: Asked) -> Verdict:
    """The verdict on a streamed answer with `details`, all its parts together."""
    faults = list(_fields_of_stream(body, asked.exact_fields))
    if faults:
        return _failed(faults, body)
    try:
        events = [StreamEvent.model_validate_json(data, strict=True) for data in _data(body)]
    except ValidationError as error:
        return _failed([f"no event of TGI: {_reason(error)}"], body)
    faults += _last_event(events)
    last = events[-1]
    if last.generated_text is None or last.details is None:
        return _failed(faults, body)
    faults += _ending(last.details, [event.token for event in events], last.generated_text, asked)
    if faults:
        return _failed(faults, body)
    return Verdict(True, _summary(None, last.details, last.generated_text))


def error_event(body: bytes) -> TgiError | None:
    """The error that an event of a stream reports; its HTTP status was 200."""
    for data in _data(body):
        error = TgiError.from_body(200, data.decode(errors="replace"))
        if error.error_type is not None:
            return TgiError.from_event(error.error_type, error.message)
    return None


def _fields_of_answer(body: bytes, exact: bool) -> Iterator[str]:
    value = _json(body)
    if not isinstance(value, list) or len(value) != 1:
        yield "the body is no JSON list of one object"
        return
    yield from _fields("the answer", value[0], _GENERATION, exact)
    if isinstance(value[0], dict) and isinstance(details := value[0].get("details"), dict):
        yield from _fields("details", details, _DETAILS, exact)
        tokens = details.get("tokens")
        for token in tokens if isinstance(tokens, list) else ():
            yield from _fields("a token", token, _TOKEN, exact)


def _fields_of_stream(body: bytes, exact: bool) -> Iterator[str]:
    events = _data(body)
    if not events:
        yield "the stream has no event"
    elif not body.endswith(b"\n\n"):
        yield "the stream ends in the middle of an event"
    for data in events:
        event = _json(data)
        yield from _fields("an event", event, _EVENT, exact)
        if isinstance(event, dict):
            yield from _fields("a token", event.get("token"), _TOKEN, exact)
            if event.get("details") is not None:
                yield from _fields("details", event["details"], _STREAM_DETAILS, exact)


def _fields(what: str, value: Any, names: frozenset[str], exact: bool) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{what} is no JSON object"
        return
    if missing := names - value.keys():
        yield f"{what} lacks {', '.join(sorted(missing))}"
    if exact and (more := value.keys() - names):
        yield f"{what} has {', '.join(sorted(more))}, which TGI 1.1.0 has not"


def _last_event(events: Sequence[StreamEvent]) -> Iterator[str]:
    *others, last = events
    if last.generated_text is None:
        yield f"the last of {len(events)} events has no generated_text: the stream was cut"
    if last.details is None:
        yield f"the last of {len(events)} events has no details"
    if any(event.generated_text is not None or event.details is not None for event in others):
        yield "an event before the last has generated_text or details"


def _ending(details: StreamDetails, tokens: Sequence[Token], text: str, asked: Asked) -> Iterator[str]:
    """What the counts, the reason and the text of an answer say against its tokens."""
    count = len(tokens)
    if details.generated_tokens != count:
        yield f"generated_tokens is {details.generated_tokens}, and there are {count}"
    if not 1 <= count <= asked.max_new_tokens:
        yield f"{_count(count)}, and max_new_tokens was {asked.max_new_tokens}"
    # In this order the container looks at every token: enough of them, then end of sequence. No stop was asked for.
    ended = "eos_token" if tokens and tokens[-1].id == EOS else "no reason to end"
    due = "length" if count == asked.max_new_tokens else ended
    if details.finish_reason != due:
        yield f"finish_reason is {details.finish_reason}, and {_count(count)} make it {due}"
    spelled = "".join(token.text for token in tokens if not token.special)
    if spelled != text:
        yield f"the tokens spell {spelled!r}, and generated_text is {text!r}"


def _data(stream: bytes) -> list[bytes]:
    """The data of the server-sent events; TGI writes each on one line."""
    return [line.removeprefix(b"data:") for line in stream.split(b"\n") if line.startswith(b"data:")]


def _reason(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _failed(faults: Sequence[str], body: bytes) -> Verdict:
    told = "; ".join(dict.fromkeys(faults))
    return Verdict(False, f"{shortened(told)}, in {shortened(body[:120].decode(errors='replace'))!r}")


def _summary(prompt_tokens: int | None, details: StreamDetails, text: str) -> str:
    prompt = "" if prompt_tokens is None else f"{prompt_tokens} prompt tokens, "
    return f"{prompt}{details.generated_tokens} generated, ended by {details.finish_reason}: {shortened(text)!r}"


def _count(tokens: int) -> str:
    return f"{tokens} token" if tokens == 1 else f"{tokens} tokens"
