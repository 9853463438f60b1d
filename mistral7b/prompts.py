"""Prompts as the two models were trained to read them.

**Instruct.** A conversation is `<s>[INST] question [/INST] answer</s>[INST] question [/INST]`. The container tokenizes
`inputs` with the model's tokenizer, which puts `<s>` first by itself. So `inputs` starts with `[INST]`: the published
examples, which spell `<s>` out, make the model read it twice. Nothing stands on either side of `</s>`: the tokenizer
puts a space before each piece of text by itself, and `answer </s><s>[INST]`, as published, would add a token that is a
lone space and another `<s>` in the middle. What `conversation` returns is tokenized in the container to exactly the ids
of Mistral AI's own `mistral-common` (`MistralTokenizer.v1()`).

**Base.** It continues a text, so its prompt is the text itself; a few solved examples before the question (few-shot)
show it what to do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Role = Literal["user", "assistant"]

SPECIAL_TOKENS = ("<s>", "</s>", "<unk>")


class PromptError(ValueError):
    """What cannot be put into the format; says at which message."""


@dataclass(frozen=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


def conversation(messages: Sequence[Message]) -> str:
    """`inputs` for a conversation with the Instruct model. The user has the first word and the last.

    An answer may be empty: the model may end it at once. Raises PromptError.
    """
    if not messages:
        raise PromptError("a conversation has at least one message")
    text = ""
    for position, message in enumerate(messages, start=1):
        what, expected = f"message {position}", "user" if position % 2 else "assistant"
        if message.role != expected:
            reason = "the roles alternate, and the user begins"
            raise PromptError(f"{what} is of the role {message.role!r}, not {expected!r}: {reason}")
        if expected == "user":
            text += _question(what, message.content)
        else:
            _check_tokens(what, message.content)
            text += f" {message.content}</s>" if message.content else "</s>"
    if len(messages) % 2 == 0:
        raise PromptError(f"message {len(messages)}, the last, is the assistant's: the last must be the user's")
    return text


def instruction(text: str) -> str:
    """`inputs` for one question to the Instruct model. Raises PromptError."""
    return _question("the prompt", text)


def _question(what: str, content: str) -> str:
    if not content.strip():
        raise PromptError(f"{what} is empty")
    _check_tokens(what, content)
    return f"[INST] {content} [/INST]"


def _check_tokens(what: str, content: str) -> None:
    for token in SPECIAL_TOKENS:
        # There is no way to write these as plain text: the container's tokenizer would read a control token.
        if token in content:
            raise PromptError(f"{what} has {token} in it, which the model reads as a control token")
