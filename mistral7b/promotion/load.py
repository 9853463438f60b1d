"""Loads the pipeline file, and the environments that it promotes."""

import os
from collections.abc import Mapping
from pathlib import Path

from mistral7b.environment import Environment, EnvironmentFileError, load_environment
from mistral7b.environment.load import PIPELINE, environment_names
from mistral7b.environment.problem import Problem, unique
from mistral7b.environment.source import Source, read, without_nulls
from mistral7b.environment.validation import FileKind, validate_fields
from mistral7b.promotion import rules
from mistral7b.promotion.draft import Draft
from mistral7b.promotion.names import is_production
from mistral7b.promotion.promotion import PromotedEnvironment, Promotion
from mistral7b.promotion.schema import PipelineSettings

PIPELINE_FILE = PIPELINE

_KIND = FileKind(
    PipelineSettings,
    "add it",
    {
        ("account",): "111111111111",
        ("region",): "us-east-1",
        ("source", "repository"): "owner/name",
        ("environments",): [{"name": ""}],  # which no file has
    },
)


def load_promotion(folder: Path, loaded: Mapping[str, Environment] | None = None) -> Promotion | None:
    """The pipeline of `folder`/pipeline.yaml with the environments that it names; None where there is no such file.

    Args:
        folder: where the files are.
        loaded: environments of the folder that are loaded already, by name. Default: none.

    Raises:
        EnvironmentFileError: with every problem of the file and of the environments that it names.
    """
    file = folder / PIPELINE_FILE
    if not os.path.lexists(file):
        return None
    source = read(file, str(file))
    if source.problems:
        raise EnvironmentFileError(source.problems, "the pipeline file")
    draft, problems = _validate(source, folder, loaded or {})
    if problems:
        own = all(problem.file == str(file) for problem in problems)
        raise EnvironmentFileError(problems, "the pipeline file" if own else "the environment files")
    return Promotion(draft.settings, file, _promoted(draft))


def _validate(source: Source, folder: Path, loaded: Mapping[str, Environment]) -> tuple[Draft, list[Problem]]:
    problems: list[Problem] = []
    settings, wrong = validate_fields(_KIND, without_nulls(source.values), source, problems)
    names = environment_names(folder)
    environments: dict[str, Environment] = {}
    for name in dict.fromkeys(promoted.name for promoted in settings.environments):
        if name in names:
            try:
                environments[name] = loaded.get(name) or load_environment(folder, name)
            except EnvironmentFileError as error:
                problems += error.problems
    draft = Draft(settings, tuple(names), environments, folder)
    problems += [source.problem(f.field, f.value, f.reason, f.fix) for f in rules.check(draft, wrong)]
    return draft, sorted(unique(problems), key=lambda p: (p.file, p.line or 0))


def _promoted(draft: Draft) -> tuple[PromotedEnvironment, ...]:
    return tuple(
        PromotedEnvironment(
            draft.environments[promoted.name],
            draft.account_of(promoted.name),
            tuple(promoted.gates),
            is_production(promoted.name) if promoted.approval is None else promoted.approval,
        )
        for promoted in draft.settings.environments
    )
