"""`mistral7b export`: an environment as one plain template."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.environment import load_environment
from mistral7b.project import cdk_context
from mistral7b.promotion.names import environment_stacks
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, say, write, writing

commands = typer.Typer()
_MOST_INLINE = 51_200
"""Bytes of a template that a request holds (CloudFormation quotas, template body size); a larger one goes by S3."""
_EPILOG = """
**Examples**

`mistral7b export dev -o template.json`

`mistral7b export prod | aws s3 cp - s3://a-bucket/mistral-7b.json`, for Launch Stack or Service Catalog
"""


@commands.command(epilog=_EPILOG)
def export(
    name: EnvironmentName,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.", dir_okay=False)
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Write an environment as one CloudFormation template, for accounts without the CDK, its bootstrap, or Node.

    It is the stack that `cdk deploy` makes, without the role that a pipeline's tests assume, for the account and
    region that the file names; without an `account`, for any account. Nothing is asked of AWS.
    """
    env = load_environment(folder, name)
    project = Path(__file__).parents[1]
    if not (project / "app.py").is_file():
        fix = "run the mistral7b of a copy of the repository"
        raise CommandError(f"there is no app.py in {project}, which makes the template\nfix: {fix}", 2)
    with tempfile.TemporaryDirectory() as assembly:
        context = cdk_context(project) | {"environments": str(folder.absolute()), "export": name}
        ours = {"CDK_OUTDIR": assembly, "CDK_CONTEXT_JSON": json.dumps(context)}
        # The stack's warnings and the checks' findings go to standard error, as with `cdk synth`.
        run = subprocess.run([sys.executable, "app.py"], check=False, cwd=project, env=os.environ | ours, stdout=2)
        if run.returncode:
            raise typer.Exit(run.returncode)
        [template] = Path(assembly).rglob("*.template.json")
        content = template.read_text(encoding="utf-8")
    if output is None:
        write(content)
        return
    with writing(output):
        output.write_text(content, encoding="utf-8")
    body = f"--template-body file://{output}" if len(content.encode()) <= _MOST_INLINE else "--template-url https://…"
    create = f"aws cloudformation create-stack --region {env.region} {body} \\\n"
    options = f"  --stack-name {environment_stacks(name)[0]} --capabilities CAPABILITY_NAMED_IAM"
    say(f"wrote {output}; create it with: {create}{options}", on=progress)
