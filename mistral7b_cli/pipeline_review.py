"""`mistral7b pipeline review`: what a deployment would allow that is not allowed now."""

import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import boto3
import typer
from rich.text import Text

from mistral7b.endpoint.errors import EndpointError
from mistral7b.errors import BROADENS, UserError
from mistral7b.promotion.approval import APPROVED, EXECUTION_VARIABLE, approve
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.grants import Grant
from mistral7b.promotion.names import PIPELINE_ID, PIPELINE_NAME, SECURITY_APPROVAL, UPDATE_STAGE
from mistral7b.promotion.review import Review
from mistral7b.promotion.review import review as compare
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.options import AsJson
from mistral7b_cli.output import progress, say, write_json


def review(
    name: Annotated[
        str,
        typer.Argument(metavar="ENVIRONMENT|pipeline", help="A stage of the cloud assembly, such as dev, or pipeline."),
    ],
    assembly: Annotated[
        Path, typer.Option("--assembly", metavar="FOLDER", help="The cloud assembly, from cdk synth.")
    ] = Path("cdk.out"),
    answer: Annotated[
        bool,
        typer.Option(
            "--approve",
            help="Answer the pipeline's approval SecurityChanges if nothing broadens; needs PIPELINE_EXECUTION_ID.",
        ),
    ] = False,
    fail: Annotated[bool, typer.Option("--fail", help="End with exit code 4 if it broadens.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show whether a deployment would broaden IAM permissions or open security groups.

    It compares the assembly's templates with those that are deployed, by the lookup role of the environment's account:
    policy statements, attachments of policies and security group rules, each on a line. A first deployment broadens, as
    does whatever is not provably narrower. What cannot be read is an error, never taken for harmless.

    In a pipeline it is the commit's own code that reviews the commit, so it stops mistakes, not whoever may push:
    protect the branch, and keep the approval before production.
    """
    execution = os.environ.get(EXECUTION_VARIABLE) if answer else None
    if answer and not execution:
        value = "the execution's id (#{codepipeline.PipelineExecutionId} in an action)"
        reason = "--approve answers the approval of one execution, and none is named"
        raise UserError(f"{reason}\nfix: set {EXECUTION_VARIABLE} to {value}")
    with suppress(EndpointError):  # what the credentials lack, the comparison says
        announce(name, None)  # the assembly names the account that is compared
    fix = "`mistral7b pipeline check` says which account lacks what"
    with (
        explained("", what=f"{name} could not be compared with what is deployed", fix=fix),
        progress.status(Text(f"comparing {name} with what is deployed")),
    ):
        reviewed = compare(Cloud(), assembly, name)
    if not as_json:
        _print(reviewed)
    stage = UPDATE_STAGE if name == PIPELINE_ID else name
    approval, answered = f"{SECURITY_APPROVAL} of stage {stage}", None
    if execution and not reviewed.broadens:
        summary = f"templates compared: nothing in {name} broadens IAM permissions or security groups"
        fix = "set AWS_DEFAULT_REGION to the pipeline's region"
        with (
            explained("", what=f"the approval {approval} could not be answered", fix=fix),
            progress.status("answering the approval SecurityChanges"),
        ):
            answered = approve(boto3.client("codepipeline"), stage, execution, summary)
    if as_json:
        counts = {"added": len(reviewed.added), "removed": len(reviewed.removed), "changes": reviewed.changes}
        own = {"environment": name, "broadens": reviewed.broadens, **counts, "approval": answered}
        write_json({**own, "ready": not reviewed.broadens, "problems": reviewed.problems})
    elif execution:
        was = "is approved" if answered == APPROVED else f"was answered before: {answered}"
        outcome = "waits for a human, who looks at the changes above" if answered is None else was
        say(f"{approval} in pipeline {PIPELINE_NAME} {outcome}.")
    if fail and reviewed.broadens:
        raise typer.Exit(BROADENS)


def _print(reviewed: Review) -> None:
    anybody = sum(one.is_public and not one.denies for one in reviewed.added)
    does = "this broadens" if reviewed.broadens else "nothing broadens"
    say(f"{reviewed.environment}: {does} IAM permissions or opens security groups.")
    if reviewed.changes:
        added, removed = _count(reviewed.added), _count(reviewed.removed)
        say(f"added: {added}, of which {anybody} for any principal; removed: {removed}")
    for line in reviewed.changes:
        say(line)


def _count(changed: Collection[Grant]) -> str:
    rules = sum(one.is_rule for one in changed)
    return f"{len(changed) - rules} statements and {rules} security group rules"
