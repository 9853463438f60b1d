"""The Instruct format is Mistral AI's own, token by token."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mistral_common.protocol.instruct.messages import AssistantMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from mistral7b.prompts import SPECIAL_TOKENS, Message, PromptError, Role, conversation, instruction
from mistral7b.tgi.tokenizer import BOS, encode

REFERENCE = MistralTokenizer.v1()

CONTENT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(
    lambda text: text.strip() != "" and not any(token in text for token in SPECIAL_TOKENS)
)


def turns(*contents: str) -> list[Message]:
    roles: tuple[Role, Role] = ("user", "assistant")
    return [Message(roles[index % 2], content) for index, content in enumerate(contents)]


def reference(messages: list[Message]) -> list[int]:
    made = [
        UserMessage(content=message.content) if message.role == "user" else AssistantMessage(content=message.content)
        for message in messages
    ]
    tokens: list[int] = REFERENCE.encode_chat_completion(ChatCompletionRequest(messages=made)).tokens
    return tokens


@settings(deadline=None)
@given(st.lists(CONTENT, min_size=1, max_size=5).filter(lambda contents: len(contents) % 2 == 1))
def test_the_container_reads_the_tokens_of_mistral_common(contents: list[str]) -> None:
    messages = turns(*contents)
    assert encode(conversation(messages)) == reference(messages)


def test_one_question_is_a_conversation_of_one_message() -> None:
    assert instruction("Hello!") == conversation(turns("Hello!")) == "[INST] Hello! [/INST]"


def test_the_model_sees_one_beginning_of_sequence() -> None:
    assert encode(conversation(turns("Hello!", "Hi.", "Bye."))).count(BOS) == 1


def test_an_empty_answer_stays_in_the_conversation() -> None:
    assert (
        conversation(turns("Hello!", "", "Are you there?")) == "[INST] Hello! [/INST]</s>[INST] Are you there? [/INST]"
    )


@pytest.mark.parametrize("token", SPECIAL_TOKENS)
@pytest.mark.parametrize("position", [1, 2, 3])
def test_a_control_token_in_a_message_is_refused_with_its_position(token: str, position: int) -> None:
    contents = ["one", "two", "three"]
    contents[position - 1] += token
    with pytest.raises(PromptError, match=f"message {position} has {token} in it"):
        conversation(turns(*contents))


def test_roles_that_do_not_alternate_are_refused_with_the_position() -> None:
    with pytest.raises(PromptError, match="message 2 is of the role 'user', not 'assistant'"):
        conversation([Message("user", "one"), Message("user", "two")])


def test_a_conversation_that_the_assistant_begins_is_refused() -> None:
    with pytest.raises(PromptError, match="message 1 is of the role 'assistant', not 'user'"):
        conversation([Message("assistant", "one")])


def test_a_conversation_that_ends_with_an_answer_is_refused() -> None:
    with pytest.raises(PromptError, match="message 2, the last, is the assistant's"):
        conversation(turns("one", "two"))


def test_a_conversation_without_messages_is_refused() -> None:
    with pytest.raises(PromptError, match="at least one message"):
        conversation([])


@pytest.mark.parametrize("content", ["", " ", "\n\t"])
def test_an_empty_question_is_refused(content: str) -> None:
    with pytest.raises(PromptError, match="message 3 is empty"):
        conversation(turns("one", "two", content))
