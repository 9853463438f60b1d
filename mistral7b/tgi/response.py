"""The answers of TGI 1.1.0, the `Serialize` types of `router/src/lib.rs`: what a client reads.

`POST /invocations` answers with a list of one generation, or with server-sent events, one for each token. In a stream
an error is an event too: the HTTP status is 200 by then.
"""

from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from mistral7b.tgi.errors import TgiError

FinishReason = Literal["length", "eos_token", "stop_sequence"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class PrefillToken(_Shape):
    """A token of the prompt. The first has no probability."""

    id: int
    text: str
    logprob: float | None


class Token(_Shape):
    """A token of the answer. A backend of the embedded AWS does not tell id and logprob (`local up --model-url`)."""

    id: int | None
    text: str
    logprob: float | None
    special: bool


class StreamDetails(_Shape):
    """How a streamed answer ended."""

    finish_reason: FinishReason
    generated_tokens: int
    seed: int | None = None


class _Sequence(StreamDetails):
    prefill: tuple[PrefillToken, ...] = ()
    tokens: tuple[Token, ...] = ()
    top_tokens: tuple[tuple[Token, ...], ...] = ()


class BestOfSequence(_Sequence):
    """An answer that `best_of` made and did not choose."""

    generated_text: str


class Details(_Sequence):
    """How an answer ended, and its tokens; of the prompt's only if `decoder_input_details` asked for them."""

    best_of_sequences: tuple[BestOfSequence, ...] | None = None


class Generation(_Shape):
    """An answer."""

    generated_text: str
    details: Details | None = None


class StreamEvent(_Shape):
    """One token of a streamed answer; the last has the whole text, and details if they were asked for."""

    token: Token
    top_tokens: tuple[Token, ...] = ()
    generated_text: str | None = None
    details: StreamDetails | None = None


_GENERATIONS = TypeAdapter(tuple[Generation, ...])


def parse_generation(body: bytes) -> Generation:
    """The answer in the body of a response that is not a stream. Raises ValueError if it is no answer of TGI."""
    try:
        generations = _GENERATIONS.validate_json(body)
    except ValidationError as error:
        raise ValueError(f"not an answer of TGI: {error.errors()[0]['msg']}") from None
    if len(generations) != 1:
        raise ValueError(f"not an answer of TGI: {len(generations)} generations instead of one")
    return generations[0]


class StreamParser:
    """Events from the bytes of a stream, wherever these are cut."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> Iterator[StreamEvent]:
        """The events that these bytes complete. Raises TgiError for one that reports an error."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield _event(line.removeprefix(b"data:").strip())


def _event(data: bytes) -> StreamEvent:
    try:
        return StreamEvent.model_validate_json(data)
    except ValidationError:
        error = TgiError.from_body(200, data.decode(errors="replace"))
        raise TgiError.from_event(error.error_type or "generation", error.message) from None
