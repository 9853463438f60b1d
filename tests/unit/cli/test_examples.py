"""`mistral7b examples`: every published prompt is asked, whatever becomes of the others."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from mistral7b.examples import examples
from mistral7b.prompts import instruction
from mistral7b.tgi.tokenizer import count_tokens
from tests.unit.cli.conftest import target

if TYPE_CHECKING:
    from tests.unit.cli.conftest import Run

NAMES = ["hello", "knowledge", "long_document_qa", "math", "coding"]


def test_every_prompt_of_the_instruct_model_is_asked_and_shown_with_its_counts(run: Run) -> None:
    result = run("examples", "dev")
    assert result.status == 0
    shown = [line.split()[0] for line in result.out.splitlines() if line.endswith(("(en)", "(zh)"))]
    assert shown == NAMES
    assert "I bought an ice cream" in result.out
    assert result.out.count("prompt tokens, ") == 5


def test_prompt_published_only_in_chinese_is_sent_in_chinese_with_a_remark(run: Run) -> None:
    result = run("examples", "dev", "--json")
    assert result.err == "long_document_qa is published in zh only\n" + target("dev")
    languages = {record["name"]: record["language"] for record in json.loads(result.out)}
    assert languages == dict.fromkeys(NAMES, "en") | {"long_document_qa": "zh"}


def test_language_zh_sends_chinese_prompts(run: Run) -> None:
    result = run("examples", "dev", "--language", "zh", "--json")
    assert (result.status, result.err) == (0, target("dev"))
    records = json.loads(result.out)
    for record, example in zip(records, examples("instruct"), strict=True):
        assert record["prompt"] == example.text("zh")
        assert record["prompt_tokens"] == count_tokens(instruction(example.text("zh")))
        assert record["error"] is None
        assert record["generated_tokens"] > 0


def test_the_base_model_gets_its_few_shot_prompt_as_it_is(run: Run) -> None:
    (record,) = json.loads(run("examples", "base", "--json").out)
    assert record["name"] == "sentiment_few_shot"
    assert record["prompt_tokens"] == count_tokens(record["prompt"])
    assert record["generated_tokens"] == 10


def test_the_list_is_shown_without_asking(run: Run) -> None:
    result = run("examples", "missing", "--list")
    assert result.status == 0
    assert all(name in result.out for name in NAMES)


def test_the_list_as_json_has_the_whole_prompts(run: Run) -> None:
    listed = json.loads(run("examples", "missing", "--list", "--json", "--language", "zh").out)
    assert [row["prompt"] for row in listed] == [example.text("zh") for example in examples("instruct")]


def test_every_prompt_is_sent_and_the_command_fails_if_one_is_not_answered(run: Run) -> None:
    result = run("examples", "small", "--language", "zh", "--json")
    assert result.status == 1
    failed = [record["name"] for record in json.loads(result.out) if record["error"]]
    assert 0 < len(failed) < len(NAMES)
    assert f"{len(failed)} of 5 examples were not answered: {', '.join(failed)}" in result.err


def test_error_of_each_prompt_goes_to_standard_error(run: Run) -> None:
    result = run("examples", "busy")
    assert result.status == 1
    assert "not answered" not in result.out
    assert result.err.count("not answered: the endpoint mistral-7b-instruct-busy is overloaded") == 5


@pytest.mark.parametrize("language", ["fr", "EN"])
def test_an_unknown_language_is_refused(run: Run, language: str) -> None:
    assert run("examples", "dev", "--language", language).status == 2
