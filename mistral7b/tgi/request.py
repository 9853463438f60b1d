"""The body of a request to the TGI 1.1.0 container: `POST /invocations`, read as `router/src/lib.rs` defines it.

A body that cannot be read is refused by the web framework, axum, with plain text; `mistral7b.tgi.validation` has the
rules for one that can.
"""

import re
from dataclasses import dataclass, field

from mistral7b.tgi import serde
from mistral7b.tgi.json_reader import JsonDataError, JsonReader, JsonSyntaxError

MAX_BODY_BYTES = 2 * 1024 * 1024
"""The largest body that axum 0.6 reads unless told otherwise, which TGI 1.1.0 does not."""

DEFAULT_MAX_NEW_TOKENS = 20
_JSON_CONTENT_TYPE = re.compile(
    r"application/(json|[\w.!#$&^+-]+\+json)\s*(;.*)?", re.ASCII | re.IGNORECASE | re.DOTALL
)


class UnreadableRequestError(ValueError):
    """A body that the container refuses before TGI sees it: HTTP `status`, with the message as plain text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class GenerateParameters:
    """What a request asks for; None is: not said. Numbers have the width that the router gives them."""

    best_of: int | None = None
    temperature: float | None = None
    repetition_penalty: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None
    do_sample: bool = False
    max_new_tokens: int = DEFAULT_MAX_NEW_TOKENS
    return_full_text: bool | None = None
    stop: list[str] = field(default_factory=list)
    truncate: int | None = None
    watermark: bool = False
    details: bool = False
    decoder_input_details: bool = False
    seed: int | None = None
    top_n_tokens: int | None = None


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """A prompt, with what to do with it."""

    inputs: str
    parameters: GenerateParameters = GenerateParameters()
    stream: bool = False


_PARAMETERS = serde.structure(
    "GenerateParameters",
    {
        "best_of": serde.optional(serde.usize),
        "temperature": serde.optional(serde.f32),
        "repetition_penalty": serde.optional(serde.f32),
        "top_k": serde.optional(serde.i32),
        "top_p": serde.optional(serde.f32),
        "typical_p": serde.optional(serde.f32),
        "do_sample": serde.boolean,
        "max_new_tokens": serde.u32,
        "return_full_text": serde.optional(serde.boolean),
        "stop": serde.list_of(serde.text),
        "truncate": serde.optional(serde.usize),
        "watermark": serde.boolean,
        "details": serde.boolean,
        "decoder_input_details": serde.boolean,
        "seed": serde.optional(serde.u64),
        "top_n_tokens": serde.optional(serde.u32),
    },
)
_REQUEST = serde.structure(
    "CompatGenerateRequest",
    {
        "inputs": serde.text,
        "parameters": lambda reader: GenerateParameters(**_PARAMETERS(reader)),
        "stream": serde.boolean,
    },
    required="inputs",
)


def parse_request(content_type: str | None, body: bytes) -> GenerateRequest:
    """The request in a body, or UnreadableRequestError with axum's status and text."""
    if content_type is None or not _JSON_CONTENT_TYPE.fullmatch(content_type):
        raise UnreadableRequestError(415, "Expected request with `Content-Type: application/json`")
    if len(body) > MAX_BODY_BYTES:
        raise UnreadableRequestError(413, "Failed to buffer the request body: length limit exceeded")
    try:
        return GenerateRequest(**_REQUEST(JsonReader(body)))
    except JsonSyntaxError as error:
        raise UnreadableRequestError(400, f"Failed to parse the request body as JSON: {error}") from None
    except JsonDataError as error:
        raise UnreadableRequestError(
            422, f"Failed to deserialize the JSON body into the target type: {error}"
        ) from None
