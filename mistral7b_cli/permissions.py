"""`mistral7b permissions`: every policy statement of an environment or the pipeline, with its reason."""

from dataclasses import asdict
from itertools import groupby
from typing import Annotated

import typer

from mistral7b.environment import load_environment
from mistral7b.operate.permissions import Statement, read_policies
from mistral7b.promotion.names import PIPELINE_ID
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, promotion_of
from mistral7b_cli.output import say, write_json
from mistral7b_cli.synthesis import synthesized


def permissions(
    name: Annotated[str, typer.Argument(metavar="ENVIRONMENT|pipeline", help="An environment's name, or `pipeline`.")],
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
    as_json: AsJson = False,
) -> None:
    """Print every policy statement of the templates, with the reason why it is needed.

    For a security review: roles, trust policies, key, bucket and endpoint policies, read from the synthesized
    templates. docs/security.md says in prose who may do what. AWS is not called.
    """
    if name == PIPELINE_ID:
        promotion_of(folder)
    else:
        load_environment(folder, name)
    # The pipeline's template holds what every environment contributes.
    with synthesized(folder, **({} if name == PIPELINE_ID else {"only": name})) as assembly:
        found = [one for stack in read_policies(assembly) for one in stack.statements()]
    # An environment's stacks are in its stage, such as dev/…; the pipeline's is in none.
    statements = [one for one in found if one.stack.rpartition("/")[0] == ("" if name == PIPELINE_ID else name)]
    if as_json:
        write_json([asdict(statement) for statement in statements])
        return
    for resource, of_resource in groupby(statements, key=lambda one: f"{one.stack}/{one.path}: {one.resource_type}"):
        say(f"{resource}\n{''.join(map(_text, of_resource))}")


def _text(statement: Statement) -> str:
    conditions = [f"{operator}: {key} = {value}" for operator, key, value in statement.conditions]
    lines = [f"  {statement.key} ({statement.policy}): {statement.reason}"]
    for heading, values in (
        (statement.effect, statement.actions),
        ("Principal", statement.principals),
        ("Resource", statement.resources),
        ("Condition", conditions),
    ):
        lines += [f"    {heading if value == values[0] else '':<10}{value}" for value in values]
    return "\n".join(lines) + "\n"
