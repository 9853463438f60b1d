"""Loads environment files: common.yaml with each environment's file over it."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mistral7b import yamlfile
from mistral7b.environment import auto
from mistral7b.environment.rules import RULES
from mistral7b.environment.schema import Environment
from mistral7b.environment.uniqueness import conflicts
from mistral7b.yamlfile import FieldPath, FileKind, FileProblemsError, Finding, Problem, Source, read, unique

COMMON = "common.yaml"
PIPELINE_FILE = "pipeline.yaml"
NOT_ENVIRONMENTS = (COMMON, PIPELINE_FILE)
# The order of those that pipeline.yaml does not name; others follow by name.
PROMOTION = ("dev", "staging", "prod")

_KIND = FileKind(
    Environment,
    "add it to this file or to common.yaml",
    {("name",): "unnamed", ("region",): "us-east-1"},
    not_in_file="name",
)


class EnvironmentFileError(FileProblemsError):
    """Every problem of one or more files of `environments/`, in one message."""

    def __init__(self, problems: Sequence[Problem], files: str = "the environment files", message: str = "") -> None:
        super().__init__(problems, files)
        self.args = (message,) if message else self.args


def environment_names(folder: Path) -> list[str]:
    """Names of the environments that have a file in `folder`, in the order of promotion.

    Hidden files are left out: editors make such locks and copies.
    """
    try:
        files = [f for f in folder.iterdir() if f.suffix == ".yaml" and not f.name.startswith(".")]
    except (OSError, ValueError):  # no such folder, no folder, not readable, no path at all
        return []
    names = {f.stem for f in files if f.name not in NOT_ENVIRONMENTS}
    order = [*_promoted(folder), *PROMOTION]
    return sorted(names, key=lambda n: (order.index(n) if n in order else len(order), n))


def _promoted(folder: Path) -> list[Any]:
    """What pipeline.yaml promotes, in its order; whether the file is right is checked where it is loaded."""
    if not (folder / PIPELINE_FILE).is_file():
        return []
    entries = read(folder / PIPELINE_FILE, PIPELINE_FILE).values.get("environments")
    return [one.get("name") for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []


def load_environments(folder: Path) -> dict[str, Environment]:
    """Every environment of `folder`, by name.

    Raises:
        EnvironmentFileError: with every problem of every file.
    """
    names = environment_names(folder)
    if not names:
        raise _no_files(folder)
    environments: dict[str, Environment] = {}
    problems: list[Problem] = []
    for name in names:
        try:
            environments[name] = load_environment(folder, name)
        except EnvironmentFileError as error:
            problems += error.problems
    problems += conflicts(environments, folder)
    if problems:
        raise EnvironmentFileError(unique(problems))
    return environments


def load_environment(folder: Path, name: str) -> Environment:
    """The environment called `name`: `folder`/common.yaml with `folder`/`name`.yaml over it.

    Raises:
        EnvironmentFileError: with every problem of the two files, or if there is no such environment.
    """
    names = environment_names(folder)
    if name not in names:  # whatever the file system takes for the same name
        raise _no_environment(folder, name, names) if names else _no_files(folder)
    common = folder / COMMON
    source = read(folder / f"{name}.yaml", str(folder / f"{name}.yaml"))
    if os.path.lexists(common):
        source = yamlfile.overlay(read(common, str(common)), source)
    if source.problems:  # what could not be read would only look like missing fields
        raise EnvironmentFileError(source.problems)
    environment, problems = _validate(name, source)
    if problems:
        raise EnvironmentFileError(problems)
    return environment


def _validate(name: str, source: Source) -> tuple[Environment, list[Problem]]:
    problems: list[Problem] = []
    values = yamlfile.without_nulls(source.values)
    if "name" in values:
        reason, fix = "an environment is named by its file", "remove the field; rename the file instead"
        problems.append(source.problem(("name",), values.pop("name"), reason, fix))
    planned = auto.remove(values)
    values["name"] = name
    environment, wrong = yamlfile.validate_fields(_KIND, values, source, problems)
    if ("name",) in wrong:  # no rule can tell more
        wrong = [(field,) for field in Environment.model_fields]
    findings = list(RULES.check(environment, [*wrong, *planned]))
    if planned and not problems and not findings:
        environment, findings = _with_plan(environment, planned, values)
    problems += [finding.problem(source, environment) for finding in findings]
    return environment, sorted(unique(problems), key=lambda p: (p.file, p.line or 0))


def _with_plan(
    environment: Environment, planned: list[FieldPath], values: dict[str, Any]
) -> tuple[Environment, list[Finding]]:
    """The environment with the planner's figures for the fields that are `auto`, and what the rules say then."""
    figures = auto.resolve(environment, planned)
    if isinstance(figures, Finding):
        return environment, [figures]
    for path, figure in figures.items():
        values[str(path[0])][path[1]] = figure
    resolved = Environment.model_validate(values)
    resolved._planned = tuple(map(yamlfile.dotted, planned))
    return resolved, list(RULES.check(resolved))


def _no_files(folder: Path) -> EnvironmentFileError:
    reason, message = "there is no environment file in it", ""
    try:
        next(folder.iterdir(), None)
    except (OSError, ValueError) as error:
        reason = f"it cannot be read: {error}"
        if isinstance(error, FileNotFoundError) and str(folder).isprintable():
            where = "" if folder.is_absolute() else " here"
            message = f"no folder {folder}/{where}; run it in the project's folder"
    fix = "add one, such as dev.yaml; run the command in the project's folder"
    return EnvironmentFileError([Problem(str(folder), None, "(folder)", None, reason, fix)], message=message)


def _no_environment(folder: Path, name: str, names: list[str]) -> EnvironmentFileError:
    reason, fix = no_such_environment(name, names)
    guess = yamlfile.nearest(name, names)
    hint = " The name is reserved." if is_reserved(name) else f" Did you mean {guess}?" if guess else ""
    message = f"There is no environment {name[:80]!r}.{hint} ({', '.join(names)})"
    return EnvironmentFileError([Problem(str(folder), None, "(environment)", name, reason, fix)], message=message)


def is_reserved(name: str) -> bool:
    """Whether the file of that name is not an environment."""
    return f"{name}.yaml" in NOT_ENVIRONMENTS


def no_such_environment(name: str, names: Sequence[str]) -> tuple[str, str]:
    """Why `name` is none of the environments `names`, and what to do."""
    fix = f"there are {', '.join(names)}; each is a file there"
    if is_reserved(name):
        return f"{name} is a reserved name", fix
    return "there is no such environment", yamlfile.with_guess(name, names, fix)
