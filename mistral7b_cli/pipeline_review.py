"""`mistral7b pipeline review`: what a deployment would allow that is not allowed now."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME, SECURITY_APPROVAL, UPDATE_STAGE
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import AsJson
from mistral7b_cli.output import out, progress, write_json
from mistral7b_cli.target import announce

if TYPE_CHECKING:
    from collections.abc import Collection

    from mistral7b.promotion.grants import Grant
    from mistral7b.promotion.review import Review

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

    It compares the assembly's templates with those that are deployed, by the lookup role of the environment's account:
    policy statements, attachments of policies and security group rules, each on a line. A first deployment broadens, as
    does whatever is not provably narrower. What cannot be read is an error (status 1), never taken for harmless.

    In a pipeline it is the commit's own code that reviews the commit, so it stops mistakes, not whoever may push:
    protect the branch, and keep the approval before production.
    """
    from mistral7b.promotion.check import Cloud  # noqa: PLC0415 - boto3 takes long to load
    from mistral7b.promotion.review import ReviewError  # noqa: PLC0415
    from mistral7b.promotion.review import review as compare  # noqa: PLC0415

    execution = _execution() if approve else None
    _name_target(name)
    try:
        with progress.status(f"comparing {name} with what is deployed"):
            reviewed = compare(Cloud(), assembly, name)
    except ReviewError as error:
        raise CommandError(str(error), 2 if error.wrong_call else 1) from error
    if not as_json:
        _print(reviewed)
    answer = None if execution is None or reviewed.broadens else _approve(reviewed, execution)
    if as_json:
        counts = {"added": len(reviewed.added), "removed": len(reviewed.removed), "changes": reviewed.changes}
        write_json({"environment": name, "broadens": reviewed.broadens, **counts, "approval": answer})
    elif execution is not None:
        _print_answer(reviewed, answer)
    if fail and reviewed.broadens:
        raise typer.Exit(BROADENS)


def _name_target(name: str) -> None:
    from mistral7b.endpoint import EndpointError  # noqa: PLC0415 - boto3 takes long to load

    with suppress(EndpointError):  # what the credentials lack, the comparison says
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


def _approve(reviewed: "Review", execution: str) -> str:
    import boto3  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415

    from mistral7b.promotion.approval import ApprovalError, approve  # noqa: PLC0415

    summary = f"templates compared: nothing in {reviewed.environment} broadens IAM permissions or security groups"
    try:
        with progress.status("answering the approval SecurityChanges"):
            return approve(boto3.client("codepipeline"), _stage(reviewed), execution, summary)
    except ApprovalError as error:
        raise CommandError(str(error)) from error
    except BotoCoreError as error:  # no region
        raise CommandError(f"{error}\nfix: set AWS_DEFAULT_REGION to the pipeline's region", 2) from error


def _stage(reviewed: "Review") -> str:
    """The pipeline's stage that deploys what is reviewed."""
    return UPDATE_STAGE if reviewed.environment == PIPELINE_ID else reviewed.environment


def _print(reviewed: "Review") -> None:
    anybody = sum(one.is_public and not one.denies for one in reviewed.added)
    does = "this broadens" if reviewed.broadens else "nothing broadens"
    out.print(f"{reviewed.environment}: {does} IAM permissions or opens security groups.", soft_wrap=True)
    if reviewed.changes:
        added, removed = _count(reviewed.added), _count(reviewed.removed)
        out.print(f"added: {added}, of which {anybody} for any principal; removed: {removed}", soft_wrap=True)
    for line in reviewed.changes:
        out.print(line, markup=False, soft_wrap=True)


def _count(changed: "Collection[Grant]") -> str:
    rules = sum(one.is_rule for one in changed)
    return f"{len(changed) - rules} statements and {rules} security group rules"


def _print_answer(reviewed: "Review", answer: str | None) -> None:
    from mistral7b.promotion.approval import APPROVED  # noqa: PLC0415

    approval = f"{SECURITY_APPROVAL} of stage {_stage(reviewed)} in pipeline {PIPELINE_NAME}"
    if answer is None:
        out.print(f"{approval} waits for a human, who looks at the changes above.", soft_wrap=True)
    elif answer == APPROVED:
        out.print(f"{approval} is approved.", soft_wrap=True)
    else:
        out.print(f"{approval} was answered before: {answer}.", soft_wrap=True)
