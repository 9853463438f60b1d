"""Loads pipeline.yaml, and the environments that it promotes."""

import os
from collections.abc import Mapping
from pathlib import Path

from mistral7b.environment import Environment, EnvironmentFileError, load_environment
from mistral7b.environment.load import PIPELINE_FILE, environment_names
from mistral7b.promotion.names import is_production
from mistral7b.promotion.rules import RULES, UnvalidatedPipeline
from mistral7b.promotion.schema import PipelineSettings, PromotedEnvironment, Promotion
from mistral7b.yamlfile import FileKind, Problem, read, unique, validate_fields, without_nulls

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
    source, problems, environments = read(file, str(file)), list[Problem](), dict[str, Environment]()
    if source.problems:
        raise EnvironmentFileError(source.problems, "the pipeline file")
    settings, wrong = validate_fields(_KIND, without_nulls(source.values), source, problems)
    names = environment_names(folder)
    for name in dict.fromkeys(promoted.name for promoted in settings.environments):
        if name in names:
            try:
                environments[name] = (loaded or {}).get(name) or load_environment(folder, name)
            except EnvironmentFileError as error:
                problems += error.problems
    pipeline = UnvalidatedPipeline(settings, tuple(names), environments, folder)
    problems += [finding.problem(source, settings) for finding in RULES.check(pipeline, wrong)]
    if problems:
        own = all(problem.file == str(file) for problem in problems)
        problems = sorted(unique(problems), key=lambda p: (p.file, p.line or 0))
        raise EnvironmentFileError(problems, "the pipeline file" if own else "the environment files")
    promoted = (
        PromotedEnvironment(
            environments[one.name],
            pipeline.account_of(one.name),
            (*one.gates, *([one.benchmark.command(one.name, settings.build.setup)] if one.benchmark else [])),
            is_production(one.name) if one.approval is None else one.approval,
            one.quiet_minutes,
        )
        for one in settings.environments
    )
    return Promotion(settings, file, tuple(promoted))
