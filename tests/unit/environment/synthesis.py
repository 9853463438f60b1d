"""Synthesizes environments, and tells what AWS would refuse of their templates."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

import aws_cdk as cdk

from mistral7b.environment import Environment
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import InvalidPropsError
from tests.unit.constraints import limits
from tests.variants import new_app


def refusals(environments: Sequence[tuple[Environment, str]], outdir: Path) -> dict[str, list[str]]:
    """What AWS would refuse of each environment's templates, by the text of its file; nothing for those it takes."""
    texts, found = _synthesized(environments, outdir)
    for name, text in texts.items():
        templates = sorted((outdir / f"assembly-{name}").glob("*.template.json"))
        problems = [problem for file in templates for problem in limits.problems(json.loads(file.read_text()))]
        if problems or not templates:
            found[text] = problems or ["a template is missing"]
    return found


def _synthesized(
    environments: Sequence[tuple[Environment, str]], outdir: Path
) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The files' texts by the stages that became templates, and what is wrong with those that became none."""
    app = new_app(outdir=str(outdir))
    texts: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for number, (environment, text) in enumerate(environments):
        name = f"e{number:019d}"  # as long as a name may be
        problem = _problem_with_stage(app, environment.model_copy(update={"name": name}))
        if problem is None:
            texts[name] = text
        else:
            found[text] = [problem] if problem else []
    if found:  # a stage that ended half-way would stay in the app's assembly, without one of its own
        texts, more = _synthesized([(e, text) for e, text in environments if text not in found], outdir)
        found |= more
    else:
        app.synth()
    return texts, {text: problems for text, problems in found.items() if problems}


def _problem_with_stage(app: cdk.App, environment: Environment) -> str | None:
    """What is wrong with how a stage ends; nothing if in a message that is a whole one; None if it does not."""
    try:
        EnvironmentStage(app, environment=environment)
    except InvalidPropsError as error:  # what only a construct can tell
        return "" if re.search(r"problems? with its props\n  .+=.+: .+; .+", str(error)) else str(error)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is reported with the file
        return f"{type(error).__name__}: {error}"
    return None
