"""What an endpoint without weights says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.container.generation import answer
from mistral7b.tgi import tokenizer


def test_an_answer_says_that_no_model_wrote_it() -> None:
    text = answer(7, 1000, []).text
    assert "no weights here" in text
    assert "not an answer of Mistral 7B" in text
    assert "Your prompt of 7 tokens" in text
    assert text.endswith(".")


@given(st.integers(1, 10_000), st.integers(1, 400))
def test_an_answer_never_has_more_tokens_than_asked_for(prompt: int, new: int) -> None:
    made = answer(prompt, new, [])
    assert 1 <= len(made.tokens) <= new
    assert made.finish_reason == ("length" if len(made.tokens) == new else "eos_token")
    assert (made.tokens[-1] == tokenizer.EOS) or made.finish_reason == "length"


def test_an_answer_is_the_same_every_time() -> None:
    assert answer(5, 100, []) == answer(5, 100, [])


def test_enough_tokens_end_an_answer_before_the_end_of_sequence_does() -> None:
    whole = len(answer(5, 1000, []).tokens)
    assert answer(5, whole, []).finish_reason == "length"
    assert answer(5, whole + 1, []).finish_reason == "eos_token"


@pytest.mark.parametrize("stop", [["embedded"], ["nowhere", "bedded"], [" the embedded"], ["x", "d"]])
def test_the_first_stop_sequence_ends_an_answer_and_stays_in_it(stop: list[str]) -> None:
    made = answer(5, 100, stop)
    assert made.finish_reason == "stop_sequence"
    assert made.text == " This is the embedded"


def test_a_stop_sequence_at_the_last_token_is_the_length() -> None:
    assert answer(5, 4, ["embedded"]).finish_reason == "length"


def test_a_stop_sequence_that_never_comes_changes_nothing() -> None:
    assert answer(5, 100, ["完"]) == answer(5, 100, [])


@given(st.integers(1, 400))
def test_an_endless_answer_has_all_tokens_that_it_may_have(new: int) -> None:
    made = answer(5, new, [], endless=True)
    assert (len(made.tokens), made.finish_reason) == (new, "length")
    assert tokenizer.EOS not in made.tokens


def test_an_endless_answer_repeats_the_notice() -> None:
    notice = answer(5, 1000, []).text
    assert answer(5, 400, [], endless=True).text.startswith(notice + notice)


def test_a_stop_sequence_ends_an_endless_answer() -> None:
    assert answer(5, 400, ["embedded"], endless=True) == answer(5, 100, ["embedded"])
