"""Answers in TGI's JSON: the same fields in the same order as the `Serialize` types of the router, without spaces.

There are no weights to give probabilities. A token has logprob 0, as if it had been the only possible one; the first of
a prompt has none (null). What `top_tokens` has beside it are the next ids of the vocabulary, as very unlikely ones.
"""

import json
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from mistral7b.container.generation import Answer
from mistral7b.tgi import tokenizer
from mistral7b.tgi.validation import ValidRequest

VOCABULARY = 32_000
_SAMPLING_DEFAULTS = {"temperature": 1.0, "top_p": 1.0, "typical_p": 1.0}


def dumps(value: object) -> str:
    """JSON as serde_json writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def log_line(level: str, message: str, target: str = "text_generation_launcher", at: float | None = None) -> str:
    """A line of the log, without its colours. `target` has spans before it, and the place in the source after it.

    `at` is its time in seconds since 1970, now by default.
    """
    when = datetime.now(UTC) if at is None else datetime.fromtimestamp(at, UTC)
    return f"{when.replace(tzinfo=None).isoformat(timespec='microseconds')}Z {level:>5} {target}: {message}"


def generation(request: ValidRequest, answers: list[Answer], seeds: list[int], inputs: str | None) -> bytes:
    """The body of an answer that is not a stream; `inputs` is the prompt where it is to be repeated before the text.

    The first of `answers` is the chosen one of `best_of`.
    """
    texts = [(inputs or "") + answer.text for answer in answers]
    body: dict[str, Any] = {"generated_text": texts[0]}
    if request.parameters.details or request.parameters.decoder_input_details:
        others = [
            {"generated_text": text, **_sequence(request, answer, seed)}
            for text, answer, seed in zip(texts[1:], answers[1:], seeds[1:], strict=True)
        ]
        body["details"] = _sequence(request, answers[0], seeds[0], others)
    return dumps([body]).encode()


def event(data: str) -> bytes:
    """A server-sent event."""
    return f"data:{data}\n\n".encode()


@lru_cache(maxsize=4096)
def token_event(token: int, top_n: int) -> bytes:
    """The event of a token that is not the last."""
    return _token_event(token, top_n, "null", "null")


def last_event(request: ValidRequest, answer: Answer, inputs: str | None) -> bytes:
    """The event of the last token, with the whole text."""
    details = _outcome(request, answer, request.seed) if request.parameters.details else None
    top_n = request.parameters.top_n_tokens or 0
    return _token_event(answer.tokens[-1], top_n, dumps((inputs or "") + answer.text), dumps(details))


def _token_event(token: int, top_n: int, text: str, details: str) -> bytes:
    top = f',"top_tokens":{dumps(_top_tokens(token, top_n))}' if top_n else ""
    return event(f'{{"token":{dumps(_token(token))}{top},"generated_text":{text},"details":{details}}}')


def _outcome(request: ValidRequest, answer: Answer, seed: int) -> dict[str, Any]:
    return {
        "finish_reason": answer.finish_reason,
        "generated_tokens": len(answer.tokens),
        "seed": shown_seed(request, seed),
    }


def _sequence(
    request: ValidRequest, answer: Answer, seed: int, best_of_sequences: list[dict[str, Any]] | None = None
) -> dict[str, Any]:
    prefill = []
    if request.parameters.decoder_input_details:
        prefill = [{"id": token, "text": tokenizer.decode([token]), "logprob": 0.0} for token in request.prompt]
        prefill[0]["logprob"] = None
    tokens = [_token(token) for token in answer.tokens]
    values = _outcome(request, answer, seed) | {"prefill": prefill, "tokens": tokens}
    if best_of_sequences:
        values["best_of_sequences"] = best_of_sequences
    if top_n := request.parameters.top_n_tokens:
        values["top_tokens"] = [_top_tokens(token, top_n) for token in answer.tokens]
    return values


def shown_seed(request: ValidRequest, seed: int) -> int | None:
    """The seed, if one is used."""
    return seed if samples(request) else None


def samples(request: ValidRequest) -> bool:
    """Whether the server samples: if told so, or if an option makes no sense otherwise."""
    parameters = request.parameters
    return (
        parameters.do_sample
        or parameters.top_k is not None
        or any(getattr(parameters, name) not in (None, default) for name, default in _SAMPLING_DEFAULTS.items())
    )


def _top_tokens(token: int, count: int) -> list[dict[str, Any]]:
    """The likeliest tokens at the position of this one, the likeliest first."""
    others = ((token + index) % VOCABULARY for index in range(1, count))
    return [_token(token), *(_token(other) | {"logprob": -20.0 - rank} for rank, other in enumerate(others))]


def _token(token: int) -> dict[str, Any]:
    text = tokenizer.continuation_text((token,))
    return {
        "id": token,
        "text": text,
        "logprob": 0.0,
        "special": token in (tokenizer.UNK, tokenizer.BOS, tokenizer.EOS),
    }
