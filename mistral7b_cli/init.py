"""`mistral7b init`: a repository of one's own, which pins a release of this project."""

import json
import re
import tarfile
from importlib import metadata, util
from pathlib import Path
from typing import Annotated

import typer

from mistral7b import catalog
from mistral7b.errors import FAILED, UserError
from mistral7b_cli.output import say

_NAMES = {"gitignore": ".gitignore"}  # a file of that name in the package would be git's


def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder; its name is the project's.")],
    region: Annotated[str, typer.Option(metavar="REGION", help="Of dev, prod and the pipeline.")] = "us-east-1",
    account: Annotated[
        str, typer.Option(metavar="ACCOUNT", help="Of prod and the pipeline: 12 digits.")
    ] = "111111111111",
    repository: Annotated[
        str, typer.Option(metavar="OWNER/NAME", help="Where the pipeline takes commits from.")
    ] = "your-organisation/{name}",
) -> None:
    """Write a repository of your own: an app of ten lines, environments, a pipeline, and a test of the templates.

    It pins this release of mistral7b-sagemaker in requirements.txt and is upgraded by a version number: its test then
    shows what the new release changes in CloudFormation. Nothing is installed, and AWS is not called.
    """
    name = folder.absolute().name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not an empty folder\nfix: name another")
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", name):
        raise UserError(f"{name}: npm takes no such name\nfix: lower case letters, digits and hyphens")
    if region not in catalog.regions():
        known = ", ".join(catalog.regions())
        raise UserError(f"--region {region}: JumpStart has no Mistral 7B there\nfix: one of {known}")
    if not re.fullmatch(r"\d{12}", account):
        raise UserError(f"--account {account}: it is not an account's id\nfix: give its 12 digits")
    values = {
        "name": name,
        "region": region,
        "account": account,
        "repository": repository.replace("{name}", name),
        "version": metadata.version("mistral7b-sagemaker"),
    }
    context, template = _recommended_flags(), Path(__file__).with_name("project_template")
    cdk_json = {"app": "python3 app.py", "versionReporting": False, "notices": False, "context": context}
    for one in (one for one in template.rglob("*") if one.is_file() and "__pycache__" not in one.parts):
        text = one.read_text(encoding="utf-8").replace('"mistral7b-sagemaker"', f'"{name}"')
        for key, value in values.items():
            text = text.replace(f"{{{key}}}", value)
        file = folder / one.relative_to(template).with_name(_NAMES.get(one.name, one.name))
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (folder / "cdk.json").write_text(json.dumps(cdk_json, indent=2) + "\n", encoding="utf-8")
    say(f"wrote {folder}: next, see {folder / 'README.md'}")


def _recommended_flags() -> dict[str, object]:
    """The feature flags that aws-cdk-lib recommends to a new project, as `cdk init` writes them."""
    found = util.find_spec("aws_cdk")
    if found is None or found.origin is None:
        raise UserError("this needs the package aws-cdk-lib\nfix: pip install 'mistral7b-sagemaker[deploy]'", FAILED)
    [package] = (Path(found.origin).parent / "_jsii").glob("aws-cdk-lib@*.tgz")
    with tarfile.open(package, "r|gz") as members:
        member = next(one for one in members if one.name == "package/recommended-feature-flags.json")
        file = members.extractfile(member)
        assert file is not None
        flags: dict[str, object] = json.load(file)
    return flags | {"cli-telemetry": False}
