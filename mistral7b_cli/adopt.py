"""`mistral7b adopt`: from an endpoint that was made by hand to an environment file."""

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from botocore.config import Config
from pydantic_core import PydanticCustomError

from mistral7b import catalog
from mistral7b.endpoint.caller import open_session
from mistral7b.environment import load_environment
from mistral7b.environment.limits import environment_name
from mistral7b.environment.load import COMMON, is_reserved
from mistral7b.errors import UserError
from mistral7b.operate.adopt import Adoption
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder
from mistral7b_cli.output import out, progress, say, table, write, write_json, writing

commands = typer.Typer()
_PATIENT = Config(retries={"mode": "standard", "total_max_attempts": 10})
_EPILOG = """
**Examples**

`mistral7b adopt jumpstart-dft-hf-llm-mistral-7b --name dev --region us-east-1`

`mistral7b adopt my-endpoint --output -`
"""


@commands.command(epilog=_EPILOG)
def adopt(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name of the endpoint.")],
    *,
    name: Annotated[str, typer.Option(metavar="ENVIRONMENT", help="Name of the new environment.")] = "adopted",
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Default: the profile's.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="- prints it. Default: ENVIRONMENT.yaml.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file without asking.")] = False,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Write the environment file that deploys the same as an endpoint of JumpStart, Studio or the SageMaker SDK.

    It lists what a deployment from the file changes, and what it does not keep. Nothing on AWS is changed. With
    `--json`, values and remarks are printed, and only `--output` writes a file. docs/adopt.md has the next steps.
    """
    file = output or (None if as_json else folder / f"{name}.yaml")
    file = None if str(file) == "-" else file
    if file is not None:
        _check(file, force=force)
    with explained(region or "", what=f"{endpoint} could not be read", fix="docs/adopt.md has the permissions"):
        where = region or open_session().region_name
        if where not in catalog.regions():
            told = f"--region {where}: JumpStart has no Mistral 7B there" if where else "no region is set"
            raise UserError(f"{told}\nfix: give --region, one of {', '.join(catalog.regions())}")
        session = announce(f"endpoint {endpoint}", where, must_know=True)
        client = partial(session.client, region_name=where, config=_PATIENT)
        adoption = Adoption(client, endpoint, (file.parent if file else folder) / COMMON)
    if file is not None:
        with writing(file):
            file.write_text(adoption.text(), encoding="utf-8")
    if as_json:
        remarks = [one._asdict() for one in adoption.remarks]
        write_json({"file": str(file) if file else None, "values": adoption.fields, "remarks": remarks})
        return
    if file is None:
        write(adoption.text())
    rows = [(one.kind, f"{one.what}: {one.text}") for one in adoption.remarks]
    (out if file else progress).print(table("", ("", "in the new deployment"), rows))
    if file is not None:
        say(f"wrote {file}; it has the same endpoint_name: docs/adopt.md has the next steps")
        load_environment(file.parent, file.stem)  # raises what has to be changed by hand


def _check(file: Path, *, force: bool) -> None:
    """Asks before a file is overwritten. Raises UserError for a file that cannot be an environment's."""
    try:
        environment_name(file.stem)
    except PydanticCustomError as error:
        raise UserError(f"{file}: {error.message()}\nfix: {(error.context or {})['fix']}") from error
    if file.suffix != ".yaml" or is_reserved(file.stem) or not file.parent.is_dir():
        fix = "name a new .yaml file in a folder that exists; the environments' is in the project's folder"
        raise UserError(f"{file} cannot be an environment's file\nfix: {fix}")
    if file.exists() and not force:
        if not sys.stdin.isatty():
            raise UserError(f"{file} exists\nfix: give another --name or --output, or overwrite it with --force")
        typer.confirm(f"{file} exists. Overwrite it?", abort=True, err=True)
