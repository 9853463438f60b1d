"""The published example prompts, as the package carries them."""

import pytest

from mistral7b.catalog import ModelName, model
from mistral7b.examples import Example, examples
from mistral7b.prompts import instruction
from mistral7b.tgi.tokenizer import count_tokens

ALL = [(name, example) for name in ("base", "instruct") for example in examples(name)]


def example(name: str) -> Example:
    return next(example for _, example in ALL if example.name == name)


def test_the_base_model_is_shown_how_to_answer() -> None:
    (few_shot,) = examples("base")
    for language, label in (("en", "Sentiment:"), ("zh", "情感:")):
        *solved, question = few_shot.prompts[language].split("###")  # type: ignore[index]
        assert len(solved) == 3
        assert question.endswith(label)


def test_an_example_without_an_english_text_is_asked_in_chinese() -> None:
    document = example("long_document_qa")
    assert document.language("en") == "zh"
    assert document.text("zh").endswith("请用两三句话总结以上内容。")


@pytest.mark.parametrize(("name", "prompt"), ALL, ids=lambda value: getattr(value, "name", value))
def test_every_prompt_fits_the_limits_that_jumpstart_deploys_with(name: ModelName, prompt: Example) -> None:
    limits = model(name).default_version.environment("ml.g5.2xlarge")
    for language in prompt.prompts:
        text = prompt.text(language) if name == "base" else instruction(prompt.text(language))
        assert count_tokens(text) + prompt.parameters.max_new_tokens <= int(limits["MAX_TOTAL_TOKENS"])
