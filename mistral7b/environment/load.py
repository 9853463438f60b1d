"""Loads environment files: common.yaml with each environment's file over it."""

import copy
import itertools
import os
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mistral7b.environment import auto, rules
from mistral7b.environment.collisions import collisions
from mistral7b.environment.explain import explain, field_path
from mistral7b.environment.problem import EnvironmentFileError, FieldPath, Problem, unique
from mistral7b.environment.schema import Environment
from mistral7b.environment.source import Source, overlay, read
from mistral7b.environment.suggest import nearest

COMMON = "common.yaml"
NOT_ENVIRONMENTS = (COMMON, "pipeline.yaml")
# The order of promotion; other environments follow by name.
PROMOTION = ("dev", "staging", "prod")

# Stands in for a missing or wrong region, so that the other rules can still be checked.
_ANY_REGION = "us-east-1"


def environment_names(folder: Path) -> list[str]:
    """Names of the environments that have a file in `folder`, in the order of promotion.

    Hidden files are none: editors leave such locks and copies.
    """
    try:
        files = [f for f in folder.iterdir() if f.suffix == ".yaml" and not f.name.startswith(".")]
    except (OSError, ValueError):  # no such folder, no folder, not readable, no path at all
        return []
    names = {f.stem for f in files if f.name not in NOT_ENVIRONMENTS}
    return sorted(names, key=lambda n: (PROMOTION.index(n) if n in PROMOTION else len(PROMOTION), n))


def load_environments(folder: Path) -> dict[str, Environment]:
    """Every environment of `folder`, by name.

    Raises:
        EnvironmentFileError: with every problem of every file.
    """
    names = environment_names(folder)
    if not names:
        raise EnvironmentFileError([_no_files(folder)])
    environments: dict[str, Environment] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            environments[name] = load_environment(folder, name)
        except EnvironmentFileError as error:
            problems += error.problems
    problems += collisions(environments, folder)
    if problems:
        raise EnvironmentFileError(unique(problems))
    return environments


def load_environment(folder: Path, name: str) -> Environment:
    """The environment called `name`: `folder`/common.yaml with `folder`/`name`.yaml over it.

    Raises:
        EnvironmentFileError: with every problem of the two files, or if there is no such environment.
    """
    if name not in environment_names(folder):  # whatever the file system takes for the same name
        raise EnvironmentFileError([_no_environment(folder, name)])
    source = _read_merged(folder, folder / f"{name}.yaml")
    if source.problems:  # what could not be read would only look like missing fields
        raise EnvironmentFileError(source.problems)
    environment, problems = _validate(name, source)
    if problems:
        raise EnvironmentFileError(problems)
    return environment


def _read_merged(folder: Path, file: Path) -> Source:
    common = folder / COMMON
    own = read(file, str(file))
    return overlay(read(common, str(common)), own) if os.path.lexists(common) else own


def _validate(name: str, source: Source) -> tuple[Environment, list[Problem]]:
    problems: list[Problem] = []
    values = _without_nulls(source.values)
    if "name" in values:
        reason, fix = "an environment is named by its file", "remove the field; rename the file instead"
        problems.append(source.problem(("name",), values.pop("name"), reason, fix))
    planned = auto.take_out(values)
    environment, wrong = _validate_fields(name, values, source, problems)
    findings = list(rules.check(environment, [*wrong, *planned]))
    if planned and not problems and not findings:
        environment, findings = _with_plan(environment, planned, values)
    problems += [source.problem(f.field, f.value, f.reason, f.fix) for f in findings]
    return environment, sorted(unique(problems), key=lambda p: (p.file, p.line or 0))


def _with_plan(
    environment: Environment, planned: list[FieldPath], values: dict[str, Any]
) -> tuple[Environment, list[rules.Finding]]:
    """The environment with the planner's figures for the fields that are `auto`, and what the rules say then."""
    figures = auto.resolve(environment, planned)
    if isinstance(figures, rules.Finding):
        return environment, [figures]
    for path, figure in figures.items():
        values[str(path[0])][path[1]] = figure
    resolved = Environment.model_validate({**values, "name": environment.name})
    resolved._planned = auto.names(planned)
    return resolved, list(rules.check(resolved))


def _validate_fields(
    name: str, values: dict[str, Any], source: Source, problems: list[Problem]
) -> tuple[Environment, list[FieldPath]]:
    """Validates field by field; wrong fields are taken out, so that the rules can check the rest."""
    wrong: list[FieldPath] = []
    told: set[FieldPath] = set()
    while True:
        try:
            return Environment.model_validate({**values, "name": name}), wrong
        except ValidationError as error:
            named = {**values, "name": name}
            errors = [(details, field_path(details, named)) for details in error.errors(include_url=False)]
        before = copy.deepcopy(values)
        for details, path in errors:
            if path not in told:
                problems.append(explain(details, path, source))
                told.add(path)
                if details["type"] != "extra_forbidden":  # no rule reads what is no field
                    wrong.append(path)
            _take_out(values, path if details["type"] != "missing" else path[:-1])
        if ("region",) in wrong:
            values.setdefault("region", _ANY_REGION)
        if values == before:  # it is the name that is wrong: no rule can tell more
            return Environment(name="unnamed", region=_ANY_REGION), [(field,) for field in Environment.model_fields]


def _take_out(values: dict[str, Any], path: FieldPath) -> None:
    """Removes the field at `path`; of a list with a wrong entry, the whole list."""
    node = values
    for part, following in itertools.pairwise((*path, None)):
        if part not in node or not isinstance(part, str):
            return
        if not isinstance(node[part], dict) or following is None:
            del node[part]
            return
        node = node[part]


def _without_nulls(values: dict[str, Any]) -> dict[str, Any]:
    """A null takes back what common.yaml sets: the default counts again."""
    return {
        key: _without_nulls(value) if isinstance(value, dict) else value
        for key, value in values.items()
        if value is not None
    }


def _no_files(folder: Path) -> Problem:
    try:
        folder.stat()
        next(folder.iterdir(), None)
        reason = "there is no environment file in it"
    except (OSError, ValueError) as error:
        reason = f"it cannot be read: {error}"
    fix = "add one, such as dev.yaml; run the command in the project's folder"
    return Problem(str(folder), None, "(folder)", None, reason, fix)


def _no_environment(folder: Path, name: str) -> Problem:
    names = environment_names(folder)
    if not names:
        return _no_files(folder)
    guess = nearest(name, names)
    return Problem(
        str(folder),
        None,
        "(environment)",
        name,
        "there is no such environment",
        (f"did you mean {guess}? " if guess else "") + f"There are {', '.join(names)}; each is a file there",
    )
