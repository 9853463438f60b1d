"""The rules for a request, in the order and with the words of `router/src/validation.rs` of TGI 1.1.0."""

import random
from dataclasses import dataclass
from functools import lru_cache

from mistral7b.tgi import tokenizer
from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.request import GenerateParameters, GenerateRequest
from mistral7b.tgi.settings import LauncherSettings


@dataclass(frozen=True)
class ValidRequest:
    """A request that keeps to the limits: its prompt as tokens, and the answer it asks for."""

    prompt: list[int]
    parameters: GenerateParameters
    seed: int
    """Seed of the sampling; drawn at random if the request gives none."""


def check_before_permit(request: GenerateRequest, settings: LauncherSettings) -> None:
    """What the router refuses even when it is overloaded. Raises TgiError."""
    best_of, most = request.parameters.best_of or 0, settings.max_best_of
    stream, decoder_details = request.stream, request.parameters.decoder_input_details
    _refuse_first(
        (
            stream and request.parameters.best_of not in (None, 1),
            "`best_of` != 1 is not supported when streaming tokens",
        ),
        (stream and decoder_details, "`decoder_input_details` == true is not supported when streaming tokens"),
        (best_of > 1 and most == 1, "`best_of` != 1 is not allowed for this endpoint"),
        (best_of > max(1, most), f"`best_of` must be > 0 and <= {most}. Given: {best_of}"),
    )


def validate(request: GenerateRequest, settings: LauncherSettings) -> ValidRequest:
    """The request with its prompt as tokens. Raises TgiError for the first rule that it breaks.

    Tokenizing takes about 2 µs a token: a caller on an event loop does a long prompt in a thread.
    """
    p = request.parameters
    best_of = 1 if p.best_of is None else p.best_of
    sampling = p.do_sample or any(option is not None for option in (p.temperature, p.top_k, p.top_p, p.typical_p))
    longest, top_n, stops = settings.max_input_length, settings.max_top_n_tokens, settings.max_stop_sequences
    _refuse_first(
        (best_of > 1 and not sampling, "you must use sampling when `best_of` is > 1"),
        (p.temperature is not None and p.temperature <= 0, "`temperature` must be strictly positive"),
        (
            p.repetition_penalty is not None and p.repetition_penalty <= 0,
            "`repetition_penalty` must be strictly positive",
        ),
        (p.top_p is not None and not 0 < p.top_p < 1, "`top_p` must be > 0.0 and < 1.0"),
        (p.typical_p is not None and not 0 < p.typical_p < 1, "`typical_p` must be > 0.0 and < 1.0"),
        (p.top_k is not None and p.top_k <= 0, "`top_k` must be strictly positive"),
        (p.max_new_tokens == 0, "`max_new_tokens` must be strictly positive"),
        (len(p.stop) > stops, f"`stop` supports up to {stops} stop sequences. Given: {len(p.stop)}"),
        (p.seed is not None and best_of > 1, "`seed` must not be set when `best_of` > 1"),
        (
            (p.top_n_tokens or 0) > top_n,
            f"`top_n_tokens` must be >= 0 and <= {top_n}. Given: {p.top_n_tokens}",
        ),
        (not request.inputs, "`inputs` cannot be empty"),
        (
            p.truncate is not None and not 0 < p.truncate <= longest,
            f"`truncate` must be strictly positive and less than {longest}. Given: {p.truncate}",
        ),
    )
    # A load test asks the same again and again, and on a fast clock the time to count tokens would show in its figures.
    prompt = list((_prompt if len(request.inputs) > _LONGEST_KEPT else _kept_prompt)(request.inputs, p.truncate))
    tokens, most = len(prompt), settings.max_total_tokens
    _refuse_first(
        (
            tokens + p.max_new_tokens > most,
            f"`inputs` tokens + `max_new_tokens` must be <= {most}. "
            f"Given: {tokens} `inputs` tokens and {p.max_new_tokens} `max_new_tokens`",
        ),
        (tokens > longest, f"`inputs` must have less than {longest} tokens. Given: {tokens}"),
    )
    return ValidRequest(prompt, p, random.getrandbits(64) if p.seed is None else p.seed)


def _refuse_first(*rules: tuple[bool, str]) -> None:
    """Raises TgiError with the text of the first rule that is broken."""
    if reason := next((text for broken, text in rules if broken), None):
        raise TgiError.validation(reason)


def _prompt(inputs: str, truncate: int | None) -> list[int]:
    """The prompt's tokens; of a truncated one `<s>` and the last.

    The router cuts them from the left and hands on their text, which the server reads and cuts again, but for `<s>`.
    """
    ids = tokenizer.encode(inputs)
    if truncate is None or truncate >= len(ids):
        return ids
    begin, *kept = tokenizer.encode(tokenizer.decode(ids[-truncate:]))
    return [begin, *kept[max(0, len(kept) + 1 - truncate) :]]


_LONGEST_KEPT = 100_000
"""Characters of the longest prompt whose tokens are kept."""
_kept_prompt = lru_cache(maxsize=32)(_prompt)
