"""Arguments and options that several commands share."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mistral7b.errors import UserError
from mistral7b.project import environments_folder

if TYPE_CHECKING:
    from mistral7b.promotion import Promotion

_PICTURES = (".png", ".svg", ".pdf")


def _check_picture(parameter: typer.CallbackParam, file: Path | None) -> Path | None:
    if file is not None and (file.suffix not in _PICTURES or not file.parent.is_dir()):
        option = parameter.opts[0]
        reason = f"it has to be a file in a folder that exists, and end in {', '.join(_PICTURES)}"
        raise UserError(f"{option} {file}: {reason}\nfix: write {option} picture.svg")
    return file


def _picture(option: str, what: str) -> Any:
    return typer.Option(option, metavar="FILE", help=what, callback=_check_picture)


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
PlotFile = Annotated[Path | None, _picture("--plot", "Draw it, too: .png, .svg, .pdf.")]
PictureFile = Annotated[Path | None, _picture("--picture", "Draw the stages and how they ended: .svg, .png, .pdf.")]
ModelFile = Annotated[
    Path | None,
    typer.Option(
        "--parameters",
        metavar="FILE",
        help="Performance model that `capacity fit --output` wrote. [default: of the two public benchmarks]",
    ),
]
Price = Annotated[float | None, typer.Option(min=0, help="USD per instance-hour. [default: built-in]")]

DEFAULT_FOLDER = environments_folder(Path())


def promotion_of(folder: Path) -> "Promotion":
    """The pipeline of a folder's pipeline.yaml, typed and checked."""
    from mistral7b.promotion import PIPELINE_FILE, load_promotion  # noqa: PLC0415 - most commands do without it

    promotion = load_promotion(folder)
    if promotion is None:
        fix = "add one (see docs/pipeline-file.md), or run the command in the project's folder"
        raise UserError(f"{folder / PIPELINE_FILE}: there is no such file\nfix: {fix}")
    return promotion


def project_here(file: str = "cdk.json") -> Path:
    """The folder in which the command runs, which has to be a project's, with this file."""
    project = Path.cwd()
    if not (project / file).is_file():
        raise UserError(f"no {file} here; run it in the project's folder")
    return project
