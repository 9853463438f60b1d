"""`mistral7b schema`: which fields the files in environments/ have, for editors."""

from typing import Annotated

import typer

from mistral7b import environment, promotion
from mistral7b_cli.output import write_json


def schema(
    pipeline: Annotated[bool, typer.Option("--pipeline", help="Of pipeline.yaml, not of environment files.")] = False,
) -> None:
    """Print the JSON schema of the environment files, or of the pipeline file, for editors."""
    write_json(promotion.json_schema() if pipeline else environment.json_schema())
