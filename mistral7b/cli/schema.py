"""`mistral7b schema`: which fields the files in environments/ have, for editors and readers."""

from typing import Annotated

import typer

from mistral7b import environment, promotion
from mistral7b.cli.output import out, write_json
from mistral7b.environment import reference as environment_reference
from mistral7b.promotion import reference as pipeline_reference


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("schema")(schema)


def schema(
    pipeline: Annotated[bool, typer.Option("--pipeline", help="Of pipeline.yaml, not of environment files.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the reference of the fields instead.")] = False,
) -> None:
    """Print the JSON schema of the environment files, or of the pipeline file, for editors."""
    if markdown:
        text = pipeline_reference.markdown() if pipeline else environment_reference.markdown()
        out.print(text, markup=False, soft_wrap=True, end="")
    else:
        write_json(promotion.json_schema() if pipeline else environment.json_schema())
