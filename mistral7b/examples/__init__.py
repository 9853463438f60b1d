"""The example prompts of the published announcement of Mistral 7B on SageMaker JumpStart, one for each use case."""

from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mistral7b.catalog import ModelName

Language = Literal["en", "zh"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class AnswerLimits(_Shape):
    """How long the answer may be, and after which texts it ends: parameters of the request."""

    max_new_tokens: int
    stop: tuple[str, ...] = ()


class Example(_Shape):
    """One use case, in the languages in which it is published."""

    name: str
    prompts: dict[Language, str]
    task: dict[Language, str] = {}
    """What to do with a prompt that is a document and does not say it itself."""
    parameters: AnswerLimits
    published_answer: dict[Language, str] = {}
    published_answer_contains: str | None = None

    def language(self, wanted: Language) -> Language:
        """The wanted language, or the only one that there is."""
        return wanted if wanted in self.prompts else next(iter(self.prompts))

    def text(self, language: Language) -> str:
        """The prompt, without the Instruct format."""
        return "\n\n".join(part for part in (self.prompts[language], self.task.get(language)) if part)


class _File(_Shape):
    about: str
    base: tuple[Example, ...]
    instruct: tuple[Example, ...]


def examples(model: ModelName) -> tuple[Example, ...]:
    """The examples for a model: few-shot texts to continue for `base`, questions for `instruct`."""
    return _file().base if model == "base" else _file().instruct


@cache
def _file() -> _File:
    return _File.model_validate_json(files(__name__).joinpath("prompts.json").read_bytes())
