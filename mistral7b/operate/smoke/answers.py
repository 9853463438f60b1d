"""Checks that an answer is TGI 1.1.0's to the request that was sent: fields, counts, finish reason, text.

The fields are those of the `Serialize` types of `router/src/lib.rs` of that version. The meaning of
the text is not checked: that would test the weights.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, TypeAdapter, ValidationError

from mistral7b.endpoint.errors import BrokenAnswerError, ContainerError, EndpointError, OverloadedError, TimedOutError
from mistral7b.tgi import Generation, StreamEvent, TgiError
from mistral7b.tgi.response import StreamDetails, Token
from mistral7b.tgi.tokenizer import EOS

_ON_REQUEST = {"top_tokens", "best_of_sequences"}
"""Fields that TGI sends only if the request asks for them; all others always, also where they are null."""
_GENERATIONS: TypeAdapter[tuple[Generation]] = TypeAdapter(tuple[Generation])
_SHOWN = 300
"""Characters that are shown of a text from outside."""
_CAUSES: dict[type[EndpointError], str] = {
    OverloadedError: "overloaded (429)",
    TimedOutError: "no whole answer in time",
    BrokenAnswerError: "an incomplete answer",
}


@dataclass(frozen=True)
class Verdict:
    """Whether the reply is the expected one, and what it was."""

    passed: bool
    got: str


@dataclass(frozen=True)
class CheckResult:
    """The result of one check. `overloaded`: it was refused with 429, so it shows nothing else."""

    name: str
    passed: bool
    seconds: float
    expected: str
    got: str
    overloaded: bool = False


@dataclass(frozen=True)
class Asked:
    """What was asked for.

    `prompt` has the ids of the prompt's tokens as mistral-common counts them. `exact_fields`: another field than those
    of TGI 1.1.0 is a fault; where the file names a later version, it is not.
    """

    prompt: tuple[int, ...]
    max_new_tokens: int
    exact_fields: bool = True

    def faults_of(self, *found: BaseModel) -> Iterator[str]:
        """Fields that are missing, or that TGI 1.1.0 does not send."""
        for one in found:
            due, sent = type(one).model_fields.keys() - _ON_REQUEST, one.model_fields_set
            if missing := due - sent:
                yield f"{type(one).__name__} lacks {', '.join(sorted(missing))}"
            if self.exact_fields and (more := sent - due):
                yield f"{type(one).__name__} has {', '.join(sorted(more))}, which TGI 1.1.0 does not send"


def judge_answer(body: bytes, asked: Asked) -> Verdict:
    """The verdict on the body of an answer with `details` and `decoder_input_details`."""
    try:
        (generation,) = _GENERATIONS.validate_json(body, strict=True, extra="allow")
    except ValidationError as error:
        return _failed([f"no answer of TGI: {_reason(error)}"], body)
    details = generation.details
    if details is None:
        return _failed(["details is null"], body)
    faults = list(asked.faults_of(generation, details, *details.tokens))
    ids = tuple(token.id for token in details.prefill)
    if ids != asked.prompt:
        others = ", others" if len(ids) == len(asked.prompt) else ""
        faults.append(f"prompt of {_count(len(ids))}, mistral-common has {len(asked.prompt)}{others}")
    faults += _ending(details, details.tokens, generation.generated_text, asked)
    summary = _summary(f"{len(ids)} prompt tokens, ", details, generation.generated_text)
    return _failed(faults, body) if faults else Verdict(True, summary)


def judge_stream(body: bytes, asked: Asked) -> Verdict:
    """The verdict on a streamed answer with `details`, all its parts together."""
    try:
        events = [StreamEvent.model_validate_json(data, strict=True, extra="allow") for data in _data(body)]
    except ValidationError as error:
        return _failed([f"no event of TGI: {_reason(error)}"], body)
    if not events:
        return _failed(["the stream has no event"], body)
    last, tokens = events[-1], [event.token for event in events]
    faults = [] if body.endswith(b"\n\n") else ["the stream ends in the middle of an event"]
    faults += [*asked.faults_of(*events, *tokens), *_last_event(events)]
    if last.generated_text is None or last.details is None:
        return _failed(faults, body)
    faults += asked.faults_of(last.details)
    faults += _ending(last.details, tokens, last.generated_text, asked)
    return _failed(faults, body) if faults else Verdict(True, _summary("", last.details, last.generated_text))


def error_event(body: bytes) -> TgiError | None:
    """The error that an event of a stream reports; its HTTP status was 200."""
    for data in _data(body):
        error = TgiError.from_body(200, data.decode(errors="replace"))
        if error.error_type is not None:
            return TgiError.from_event(error.error_type, error.message)
    return None


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
    # A server of a real model in TGI's place may tell no ids.
    ended = "eos_token" if tokens and tokens[-1].id in (EOS, None) else "no reason to end"
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
    return ": ".join(filter(None, (".".join(map(str, first["loc"])), first["msg"])))


def _failed(faults: Sequence[str], body: bytes) -> Verdict:
    told = "; ".join(dict.fromkeys(faults))
    return Verdict(False, f"{shortened(told)}, in {shortened(body[:120].decode(errors='replace'))!r}")


def _summary(prompt: str, details: StreamDetails, text: str) -> str:
    return f"{prompt}{details.generated_tokens} generated, ended by {details.finish_reason}: {shortened(text)!r}"


def _count(tokens: int) -> str:
    return f"{tokens} token" if tokens == 1 else f"{tokens} tokens"


def is_refusal(error: EndpointError) -> bool:
    """Whether the container has read the request, and refused it."""
    return isinstance(error, ContainerError) and not isinstance(error, OverloadedError)


def describe(error: EndpointError) -> str:
    """An error in one line, named by its cause."""
    if is_refusal(error):
        cause = f"{error.status} {error.error_type or 'without error_type'}"
    else:
        cause = next((words for kind, words in _CAUSES.items() if isinstance(error, kind)), "")
    return f"{cause or error.error_type or type(error).__name__}: {shortened(error.message)}"


def shortened(text: str) -> str:
    """The text on one line, without what a terminal would take as a command."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
