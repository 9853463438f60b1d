"""InvokeEndpoint against a deployed endpoint: answers, and what SageMaker makes of the container's errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.tgi import parse_generation, tokenizer

Ask = Callable[..., Any]


def test_an_answer_is_a_list_of_one_generation(endpoint: str, ask: Ask) -> None:
    (generation,) = ask(endpoint, "Hello")
    assert list(generation) == ["generated_text"]
    assert generation["generated_text"].startswith(" This is the embedded AWS")


def test_an_answer_has_20_tokens_unless_told_otherwise(endpoint: str, ask: Ask) -> None:
    details = ask(endpoint, "Hello", details=True)[0]["details"]
    assert details["generated_tokens"] == len(details["tokens"]) == 20
    assert details["finish_reason"] == "length"
