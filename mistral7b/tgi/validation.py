"""The rules for a request, in the order and with the words of `router/src/validation.rs` of TGI 1.1.0."""

import random
from dataclasses import dataclass

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
    best_of = request.parameters.best_of
    if request.stream:
        if best_of not in (None, 1):
            raise TgiError.validation("`best_of` != 1 is not supported when streaming tokens")
        if request.parameters.decoder_input_details:
            raise TgiError.validation("`decoder_input_details` == true is not supported when streaming tokens")
    elif best_of is not None and best_of > 1:
        if settings.max_best_of == 1:
            raise TgiError.validation("`best_of` != 1 is not allowed for this endpoint")
        if best_of > settings.max_best_of:
            raise TgiError.validation(f"`best_of` must be > 0 and <= {settings.max_best_of}. Given: {best_of}")


def validate(request: GenerateRequest, settings: LauncherSettings) -> ValidRequest:
    """The request with its prompt as tokens. Raises TgiError for the first rule that it breaks.

    Tokenizing takes about 2 µs a token: a caller on an event loop does a long prompt in a thread.
    """
    parameters = request.parameters
    best_of = 1 if parameters.best_of is None else parameters.best_of
    _check_sampling(parameters, best_of)
    if parameters.max_new_tokens == 0:
        raise TgiError.validation("`max_new_tokens` must be strictly positive")
    if len(parameters.stop) > settings.max_stop_sequences:
        raise TgiError.validation(
            f"`stop` supports up to {settings.max_stop_sequences} stop sequences. Given: {len(parameters.stop)}"
        )
    if parameters.seed is not None and best_of > 1:
        raise TgiError.validation("`seed` must not be set when `best_of` > 1")
    if (parameters.top_n_tokens or 0) > settings.max_top_n_tokens:
        raise TgiError.validation(
            f"`top_n_tokens` must be >= 0 and <= {settings.max_top_n_tokens}. Given: {parameters.top_n_tokens}"
        )
    if not request.inputs:
        raise TgiError.validation("`inputs` cannot be empty")
    if parameters.truncate is not None and not 0 < parameters.truncate <= settings.max_input_length:
        raise TgiError.validation(
            f"`truncate` must be strictly positive and less than {settings.max_input_length}. "
            f"Given: {parameters.truncate}"
        )
    prompt = _prompt(request.inputs, parameters.truncate)
    _check_lengths(len(prompt), parameters.max_new_tokens, settings)
    seed = random.getrandbits(64) if parameters.seed is None else parameters.seed
    return ValidRequest(prompt, parameters, seed)


def _check_sampling(parameters: GenerateParameters, best_of: int) -> None:
    options = (parameters.temperature, parameters.top_k, parameters.top_p, parameters.typical_p)
    sampling = parameters.do_sample or any(option is not None for option in options)
    if best_of > 1 and not sampling:
        raise TgiError.validation("you must use sampling when `best_of` is > 1")
    if parameters.temperature is not None and parameters.temperature <= 0:
        raise TgiError.validation("`temperature` must be strictly positive")
    if parameters.repetition_penalty is not None and parameters.repetition_penalty <= 0:
        raise TgiError.validation("`repetition_penalty` must be strictly positive")
    if parameters.top_p is not None and not 0 < parameters.top_p < 1:
        raise TgiError.validation("`top_p` must be > 0.0 and < 1.0")
    if parameters.typical_p is not None and not 0 < parameters.typical_p < 1:
        raise TgiError.validation("`typical_p` must be > 0.0 and < 1.0")
    if parameters.top_k is not None and parameters.top_k <= 0:
        raise TgiError.validation("`top_k` must be strictly positive")


def _prompt(inputs: str, truncate: int | None) -> list[int]:
    """The prompt's tokens; of a truncated one the last, read again from their text as the router does."""
    ids = tokenizer.encode(inputs)
    if truncate is None or truncate >= len(ids):
        return ids
    return tokenizer.encode(tokenizer.decode(ids[-truncate:]))[-truncate:]


def _check_lengths(prompt_tokens: int, max_new_tokens: int, settings: LauncherSettings) -> None:
    if prompt_tokens + max_new_tokens > settings.max_total_tokens:
        raise TgiError.validation(
            f"`inputs` tokens + `max_new_tokens` must be <= {settings.max_total_tokens}. "
            f"Given: {prompt_tokens} `inputs` tokens and {max_new_tokens} `max_new_tokens`"
        )
    if prompt_tokens > settings.max_input_length:
        raise TgiError.validation(
            f"`inputs` must have less than {settings.max_input_length} tokens. Given: {prompt_tokens}"
        )
