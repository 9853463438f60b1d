"""`mistral7b adopt`: from an endpoint that was made by hand to an environment file."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic_core import PydanticCustomError

from mistral7b.endpoint.caller import open_session
from mistral7b.environment import load_environment
from mistral7b.environment.limits import environment_name
from mistral7b.environment.load import COMMON, is_reserved
from mistral7b.errors import UserError
from mistral7b.operate.adopt import Adoption
from mistral7b_cli.aws import announce, clients, explained
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder
from mistral7b_cli.output import out, progress, say, write, write_json


def adopt(
    endpoint: Annotated[str, typer.Argument(metavar="ENDPOINT", help="Name of the endpoint.")],
    *,
    name: Annotated[str, typer.Option(metavar="ENVIRONMENT", help="Name of the new environment.")] = "adopted",
    region: Annotated[str | None, typer.Option(metavar="REGION", help="Default: the profile's.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: ENVIRONMENT.yaml; - prints it.")
    ] = None,
    as_json: AsJson = False,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Write the environment file that deploys the same as an endpoint of JumpStart, Studio or the SageMaker SDK.

    It lists what a deployment from the file changes, and what it does not keep. Nothing on AWS is changed, and no file
    is overwritten. With `--json`, values and remarks are printed instead of a file. docs/adopt.md has the next steps.
    """
    file = None if as_json or str(output) == "-" else output or folder / f"{name}.yaml"
    if file is not None:
        _check(file)
    with explained(region or "", what=f"{endpoint} could not be read", fix="docs/adopt.md has the permissions"):
        where = region or open_session().region_name
        if not where:
            raise UserError("no region is set\nfix: give --region, such as us-east-1, or set AWS_REGION")
        session = announce(f"endpoint {endpoint}", where, must_know=True)
        adoption = Adoption(clients(session, where), endpoint, (file.parent if file else folder) / COMMON)
    if as_json:
        write_json({"values": adoption.fields, "remarks": adoption.remarks})
        return
    rows = [(one["kind"], f"{one['what']}: {one['text']}") for one in adoption.remarks]
    say(Table("", ("", "in the new deployment"), rows), on=out if file else progress)
    if file is None:
        write(adoption.text())
        return
    with file.open("x", encoding="utf-8") as stream:
        stream.write(adoption.text())
    say(f"wrote {file}; it has the same endpoint_name: docs/adopt.md has the next steps")
    load_environment(file.parent, file.stem)  # raises what has to be changed by hand


def _check(file: Path) -> None:
    """Raises UserError for a file that cannot be an environment's."""
    try:
        environment_name(file.stem)
    except PydanticCustomError as error:
        raise UserError(f"{file}: {error.message()}\nfix: {(error.context or {})['fix']}") from error
    if file.suffix != ".yaml" or is_reserved(file.stem):
        raise UserError(f"{file} cannot be an environment's file\nfix: give another --name or --output")
