"""Tokens as the Hugging Face tokenizer of Mistral 7B makes them."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mistral_common.protocol.instruct.messages import UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

from mistral7b.tgi import tokenizer

PLAIN = st.text(st.characters(codec="utf-8", exclude_characters="▁<"))


def test_a_prompt_begins_with_the_begin_of_sequence_token() -> None:
    assert tokenizer.encode("Hello") == [1, 22557]


def test_an_empty_prompt_is_only_that_token() -> None:
    assert tokenizer.encode("") == [1]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("<s>", [1, 1]),
        ("</s>", [1, 2]),
        ("<unk>", [1, 0]),
        ("Hello</s>Hello", [1, 22557, 2, 22557]),
        ("<s>[INST] hi [/INST]", [1, 1, 733, 16289, 28793, 12014, 733, 28748, 16289, 28793]),
    ],
)
def test_special_tokens_are_found_in_the_text(text: str, ids: list[int]) -> None:
    assert tokenizer.encode(text) == ids


def test_the_instruct_format_written_out_has_one_token_more_than_mistrals_own() -> None:
    request: ChatCompletionRequest[UserMessage] = ChatCompletionRequest(messages=[UserMessage(content="Hello there")])
    own = MistralTokenizer.v1().encode_chat_completion(request)
    assert tokenizer.encode("<s>[INST] Hello there [/INST]") == [1, *own.tokens]


def test_counting_is_encoding() -> None:
    assert tokenizer.count_tokens("你好, wörld 🎉") == len(tokenizer.encode("你好, wörld 🎉"))


@given(PLAIN)
def test_decoding_gives_back_the_text(text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text), skip_special=True) == text


@given(PLAIN, PLAIN)
def test_special_tokens_come_back_with_the_space_of_the_next_word(left: str, right: str) -> None:
    decoded = tokenizer.decode(tokenizer.encode(f"{left}</s>{right}"))
    spaced = [f" {part}" if part else "" for part in (left, right)]
    assert decoded == f"<s>{spaced[0]}</s>{spaced[1]}"


def test_the_text_of_a_continuation_keeps_the_space_before_a_word() -> None:
    assert tokenizer.continuation_text([22557]) == " Hello"
    assert tokenizer.decode([22557]) == "Hello"


def test_part_of_a_character_is_decoded_as_replacement_characters() -> None:
    emoji = tokenizer.encode("\U0001fae8")[1:]
    assert tokenizer.decode(emoji) == "\U0001fae8"
    assert tokenizer.decode(emoji[:-1]).endswith("���")


def test_a_long_prompt_is_counted_fast() -> None:
    text = "The quick brown fox. " * 10_000
    tokenizer.load()
    started = time.perf_counter()
    assert tokenizer.count_tokens(text) == 60_002
    assert time.perf_counter() - started < 2
