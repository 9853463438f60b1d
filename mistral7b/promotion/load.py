"""Loads pipeline.yaml, and the environments that it promotes."""

import os
from collections.abc import Mapping
from pathlib import Path

from mistral7b.environment import Environment, EnvironmentFileError, load_environment
from mistral7b.environment.load import PIPELINE_FILE, environment_names
from mistral7b.promotion.names import is_production
from mistral7b.promotion.rules import RULES, UnvalidatedPipeline
from mistral7b.promotion.schema import PipelineSettings, PromotedEnvironment, Promotion
from mistral7b.yamlfile import FileKind, Problem, Source, read, unique, validate_fields, without_nulls

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
    """What `folder`/pipeline.yaml promotes, with the environments that it names; None where there is no such file.

    Environments that are `loaded` already, by name, are not loaded again.

    Raises:
        EnvironmentFileError: with every problem of the file and of the environments that it names.
    """
    file = folder / PIPELINE_FILE
    if not os.path.lexists(file):
        return None
    source = read(file, str(file))
    if source.problems:
        raise EnvironmentFileError(source.problems, "the pipeline file")
    pipeline, problems = _validate(source, folder, loaded or {})
    if problems:
        own = all(problem.file == str(file) for problem in problems)
        raise EnvironmentFileError(problems, "the pipeline file" if own else "the environment files")
    return Promotion(pipeline.settings, file, _promoted(pipeline))


def _validate(
    source: Source, folder: Path, loaded: Mapping[str, Environment]
) -> tuple[UnvalidatedPipeline, list[Problem]]:
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
    pipeline = UnvalidatedPipeline(settings, tuple(names), environments, folder)
    problems += [finding.problem(source, settings) for finding in RULES.check(pipeline, wrong)]
    return pipeline, sorted(unique(problems), key=lambda p: (p.file, p.line or 0))


def _promoted(pipeline: UnvalidatedPipeline) -> tuple[PromotedEnvironment, ...]:
    return tuple(
        PromotedEnvironment(
            pipeline.environments[promoted.name],
            pipeline.account_of(promoted.name),
            tuple(promoted.gates),
            is_production(promoted.name) if promoted.approval is None else promoted.approval,
        )
        for promoted in pipeline.settings.environments
    )
