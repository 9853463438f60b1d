"""`mistral7b pipeline`: what promotes a commit from one environment to the next."""

import typer

from mistral7b_cli import pipeline_check, pipeline_github, pipeline_rehearse, pipeline_review

commands = typer.Typer(
    name="pipeline",
    no_args_is_help=True,
    help="The pipeline of environments/pipeline.yaml: whether it can be deployed, and what a change would allow.",
)
pipeline_check.register(commands)
pipeline_github.register(commands)
pipeline_rehearse.register(commands)
pipeline_review.register(commands)


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.add_typer(commands)
