"""The body of a request to the TGI 1.1.0 container: `POST /invocations`, read as `router/src/lib.rs` defines it.

A body that cannot be read is refused by the web framework, axum, with plain text; `mistral7b.tgi.validation` has the
rules for one that can.
"""

import re
from dataclasses import dataclass, field

from mistral7b.tgi.json_reader import JsonError, JsonReader
from mistral7b.tgi.serde import F32, I32, U32, U64, Usize, structure

MAX_BODY_BYTES = 2 * 1024 * 1024
"""The largest body that axum 0.6 reads unless told otherwise, which TGI 1.1.0 does not."""

DEFAULT_MAX_NEW_TOKENS = 20
_FAILED = {400: "parse the request body as JSON", 422: "deserialize the JSON body into the target type"}
# As the crate mime 0.3 parses a type, and axum takes it: the subtype or the suffix is json.
_TOKEN = r"[\w!#$%&'*+.^`|~-]"
_PARAMETER = rf' *{_TOKEN}+=(?:{_TOKEN}+|"[^\x00-\x1f\x7f][^"\x00-\x1f\x7f]*" *)'
_JSON_CONTENT_TYPE = re.compile(
    rf"application/(?:json(?:\+(?:(?!\+){_TOKEN})*)?|{_TOKEN}+\+json)"
    rf"(?:;(?:{_PARAMETER};)*(?:{_PARAMETER}| *{_TOKEN}+=| *))?",
    re.ASCII | re.IGNORECASE,
)


class UnreadableRequestError(ValueError):
    """A body that the container refuses before TGI sees it: HTTP `status`, with the message as plain text."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, kw_only=True)
class GenerateParameters:
    """What a request asks for; None means unset. Numbers have the width that the router gives them."""

    best_of: Usize | None = None
    temperature: F32 | None = None
    repetition_penalty: F32 | None = None
    top_k: I32 | None = None
    top_p: F32 | None = None
    typical_p: F32 | None = None
    do_sample: bool = False
    max_new_tokens: U32 = DEFAULT_MAX_NEW_TOKENS
    return_full_text: bool | None = None
    stop: list[str] = field(default_factory=list)
    truncate: Usize | None = None
    watermark: bool = False
    details: bool = False
    decoder_input_details: bool = False
    seed: U64 | None = None
    top_n_tokens: U32 | None = None


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """A prompt, with what to do with it."""

    inputs: str
    parameters: GenerateParameters = GenerateParameters()
    stream: bool = False


def parse_request(content_type: str | None, body: bytes) -> GenerateRequest:
    """The request in a body, or UnreadableRequestError with axum's status and text."""
    if content_type is None or not _JSON_CONTENT_TYPE.fullmatch(content_type):
        raise UnreadableRequestError(415, "Expected request with `Content-Type: application/json`")
    if len(body) > MAX_BODY_BYTES:
        raise UnreadableRequestError(413, "Failed to buffer the request body: length limit exceeded")
    try:
        return structure(JsonReader(body), GenerateRequest, "CompatGenerateRequest")
    except JsonError as error:
        raise UnreadableRequestError(error.status, f"Failed to {_FAILED[error.status]}: {error}") from None
