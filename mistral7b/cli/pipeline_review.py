"""`mistral7b pipeline review`: what a deployment would allow that is not allowed now."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from mistral7b.cli.failure import CommandError
from mistral7b.cli.options import AsJson
from mistral7b.cli.output import out, progress, write_json
from mistral7b.cli.target import announce
from mistral7b.process import ProgramNotFoundError, cdk_program
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME, SECURITY_APPROVAL, UPDATE_STAGE
from mistral7b.promotion.review import Review, ReviewError
from mistral7b.promotion.review import review as compare

BROADENS = 3
"""The exit status of --fail."""

_EPILOG = """
**Examples**

`cdk synth --quiet && mistral7b pipeline review dev --assembly cdk.out`

`mistral7b pipeline review prod --assembly cdk.out --json`, which prints `{"broadens": true, …}`

`mistral7b pipeline review prod --assembly cdk.out --fail`, whose status is 3 if it broadens

In a pipeline action: `PIPELINE_EXECUTION_ID=… mistral7b pipeline review prod --assembly cdk.out --approve`
"""


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("review", epilog=_EPILOG)(review)


def review(
    name: Annotated[
        str, typer.Argument(metavar="ENVIRONMENT", help="A stage of the cloud assembly, such as dev, or pipeline.")
    ],
    assembly: Annotated[
        Path, typer.Option("--assembly", metavar="FOLDER", help="The cloud assembly, from cdk synth.")
    ] = Path("cdk.out"),
    approve: Annotated[
        bool,
        typer.Option(
            "--approve",
            help="Answer the pipeline's approval SecurityChanges if nothing broadens; needs PIPELINE_EXECUTION_ID.",
        ),
    ] = False,
    fail: Annotated[bool, typer.Option("--fail", help="End with status 3 if it broadens.")] = False,
    as_json: AsJson = False,
) -> None:
    """Tell whether a deployment would broaden IAM permissions or open security groups.

    It runs `cdk diff --security-only` against what is deployed, by the lookup role of the environment's account, and
    shows the CDK's table of the changes. A first deployment broadens: nothing was allowed before. What cannot be
    compared is an error (status 1), never taken for a change that broadens nothing.

    In a pipeline it is the commit's own code that reviews the commit, so it stops mistakes, not whoever may push:
    protect the branch, and keep the approval before production.
    """
    execution = _execution() if approve else None
    _name_target(name)
    project = Path.cwd()
    try:
        with progress.status(f"comparing {name} with what is deployed"):
            reviewed = compare(Path(cdk_program(project)), assembly, name, project)
    except ProgramNotFoundError as error:
        raise CommandError(str(error), 2) from error
    except ReviewError as error:
        raise CommandError(str(error), 2 if error.wrong_call else 1) from error
    if not as_json:
        _print(reviewed)
    answer = None if execution is None or reviewed.broadens else _approve(reviewed, execution)
    if as_json:
        _write(reviewed, answer)
    elif execution is not None:
        _print_answer(reviewed, answer)
    if fail and reviewed.broadens:
        raise typer.Exit(BROADENS)


def _name_target(name: str) -> None:
    from mistral7b.endpoint import EndpointError  # noqa: PLC0415 - boto3 takes long to load

    with suppress(EndpointError):  # what the credentials lack, the CDK CLI says
        announce(name, None)  # the assembly names the account that is compared


def _execution() -> str:
    from mistral7b.promotion.approval import EXECUTION_VARIABLE  # noqa: PLC0415 - botocore takes long to load

    execution = os.environ.get(EXECUTION_VARIABLE, "")
    if not execution:
        fix = (
            f"fix: set {EXECUTION_VARIABLE} to the execution's id (#{{codepipeline.PipelineExecutionId}} in an action)"
        )
        raise CommandError(f"--approve answers the approval of one execution, and none is named\n{fix}", 2)
    return execution


def _approve(reviewed: Review, execution: str) -> str:
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from mistral7b.promotion.approval import ApprovalError, approve  # noqa: PLC0415

    summary = f"cdk diff --security-only: nothing in {reviewed.environment} broadens IAM permissions or security groups"
    try:
        with progress.status("answering the approval SecurityChanges"):
            return approve(boto3.client("codepipeline"), _stage(reviewed), execution, summary)
    except ApprovalError as error:
        raise CommandError(str(error)) from error
    except BotoCoreError as error:  # no region
        raise CommandError(f"{error}\nfix: set AWS_DEFAULT_REGION to the pipeline's region", 2) from error


def _stage(reviewed: Review) -> str:
    """The pipeline's stage that deploys what is reviewed."""
    return UPDATE_STAGE if reviewed.environment == PIPELINE_ID else reviewed.environment


def _print(reviewed: Review) -> None:
    if reviewed.changes:
        out.print(reviewed.changes, markup=False, soft_wrap=True)
        out.print()
    stacks = "1 stack" if reviewed.stacks == 1 else f"{reviewed.stacks} stacks"
    out.print(
        f"{reviewed.environment}: {stacks} would broaden IAM permissions or open security groups."
        if reviewed.broadens
        else f"{reviewed.environment}: nothing broadens IAM permissions or opens security groups."
    )


def _print_answer(reviewed: Review, answer: str | None) -> None:
    from mistral7b.promotion.approval import APPROVED  # noqa: PLC0415

    approval = f"{SECURITY_APPROVAL} of stage {_stage(reviewed)} in pipeline {PIPELINE_NAME}"
    if answer is None:
        out.print(f"{approval} waits for a human, who looks at the changes above.", soft_wrap=True)
    elif answer == APPROVED:
        out.print(f"{approval} is approved.", soft_wrap=True)
    else:
        out.print(f"{approval} was answered before: {answer}.", soft_wrap=True)


def _write(reviewed: Review, answer: str | None) -> None:
    write_json(
        {
            "environment": reviewed.environment,
            "broadens": reviewed.broadens,
            "stacks": reviewed.stacks,
            "changes": reviewed.changes,
            "approval": answer,
        }
    )
