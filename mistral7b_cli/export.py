"""`mistral7b export`: an environment as one plain template."""

from pathlib import Path
from typing import Annotated

import typer

from mistral7b.environment import load_environment
from mistral7b.promotion.names import environment_stacks
from mistral7b_cli.options import DEFAULT_FOLDER, EnvironmentName, EnvironmentsFolder
from mistral7b_cli.output import progress, say, write
from mistral7b_cli.synthesis import synthesized

_MOST_INLINE = 51_200
"""Bytes of a template that a request holds (CloudFormation quotas, template body size); a larger one goes by S3."""


def export(
    name: EnvironmentName,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Default: standard output.")
    ] = None,
    folder: EnvironmentsFolder = DEFAULT_FOLDER,
) -> None:
    """Write an environment as one CloudFormation template, for accounts without the CDK, its bootstrap, or Node.

    It is the stack that `cdk deploy` makes, without the role that a pipeline's tests assume, for the account and
    region that the file names; without an `account`, for any account. Nothing is asked of AWS.
    """
    env = load_environment(folder, name)
    with synthesized(folder, export=name) as assembly:
        [template] = assembly.rglob("*.template.json")
        content = template.read_text(encoding="utf-8")
    if output is None:
        write(content)
        return
    output.write_text(content, encoding="utf-8")
    body = f"--template-body file://{output}" if len(content.encode()) <= _MOST_INLINE else "--template-url https://…"
    create = f"aws cloudformation create-stack --region {env.region} {body} \\\n"
    options = f"  --stack-name {environment_stacks(name)[0]} --capabilities CAPABILITY_NAMED_IAM"
    say(f"wrote {output}; create it with: {create}{options}", on=progress)
