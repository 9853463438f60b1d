"""The answer of an endpoint without weights: a notice in English, in real tokens, under the real limits."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from mistral7b.tgi import tokenizer
from mistral7b.tgi.response import FinishReason

_NOTICE = (
    "This is the embedded AWS: there are no weights here, so this text is not an answer of Mistral 7B. "
    "Your prompt of {count} tokens was read, counted and checked against the limits of this endpoint's settings, "
    "and this text is cut, counted and returned as the model's would be. Deploy the same stack to AWS for an answer."
)


@dataclass(frozen=True)
class Answer:
    """The ids of an answer's tokens, the end-of-sequence token included if it was reached, and why it ended there."""

    tokens: tuple[int, ...]
    finish_reason: FinishReason

    @cached_property
    def text(self) -> str:
        """The text without special tokens, as `generated_text` has it."""
        return tokenizer.continuation_text(self.tokens, skip_special=True)


def answer(prompt_tokens: int, max_new_tokens: int, stop: Iterable[str], *, endless: bool = False) -> Answer:
    """The answer to a prompt of so many tokens.

    The notice is some 90 tokens and then an end of sequence. An `endless` one is repeated up to `max_new_tokens`
    instead, so that a load test measures answers as long as it asks for.
    """
    return _answer(prompt_tokens, max_new_tokens, tuple(stop), endless)


@lru_cache(maxsize=256)
def _answer(prompt_tokens: int, max_new_tokens: int, stop: tuple[str, ...], endless: bool) -> Answer:
    notice = _notice(prompt_tokens)
    text = notice * -(-max_new_tokens // len(notice)) if endless else (*notice, tokenizer.EOS)
    tokens = text[:max_new_tokens]
    stopped = _stopped_at(tokens, stop)
    # In this order the container looks at every token: enough of them, end of sequence, stop sequence.
    if stopped is not None and stopped < max_new_tokens:
        return Answer(tokens[:stopped], "stop_sequence")
    return Answer(tokens, "length" if len(tokens) == max_new_tokens else "eos_token")


def _stopped_at(tokens: tuple[int, ...], stop: tuple[str, ...]) -> int | None:
    """After how many tokens the text ends with a stop sequence for the first time."""
    text = ""
    for count, token in enumerate(tokens if stop else (), start=1):
        if token == tokenizer.EOS:
            return None
        text += tokenizer.continuation_text((token,))
        if text.endswith(stop):
            return count
    return None


@lru_cache(maxsize=4096)
def _notice(prompt_tokens: int) -> tuple[int, ...]:
    return tuple(tokenizer.encode_continuation(_NOTICE.format(count=prompt_tokens)))
