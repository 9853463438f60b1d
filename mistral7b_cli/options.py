"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from mistral7b.project import environments_folder

EnvironmentName = Annotated[
    str,
    typer.Argument(
        metavar="ENVIRONMENT", help="Name of the environment, such as dev: its file is environments/dev.yaml."
    ),
]
EnvironmentsFolder = Annotated[
    Path,
    typer.Option(
        "--environments", metavar="FOLDER", envvar="MISTRAL7B_ENVIRONMENTS", help="Folder of the environment files."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]

DEFAULT_FOLDER = environments_folder(Path())
