"""`mistral7b pipeline check`: whether the accounts are ready for the pipeline."""

import itertools
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from mistral7b.project import bootstrap
from mistral7b.promotion import PIPELINE_FILE, Promotion, load_promotion
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_cli.failure import CommandError
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder
from mistral7b_cli.output import out, progress, table, write_json
from mistral7b_cli.target import announce

if TYPE_CHECKING:
    from mistral7b.promotion.check import Finding

_EPILOG = """
**Examples**

`AWS_PROFILE=tools mistral7b pipeline check`, before `cdk deploy pipeline`

`mistral7b pipeline check --json`, for scripts: the status is 1 if anything is refused
"""
_STYLES = {"fine": "green", "later": "yellow", "refused": "bold red"}


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("check", epilog=_EPILOG)(check)


def check(folder: EnvironmentsFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Ask every account whether it is ready for the pipeline, before anything is deployed.

    With credentials of the pipeline's account: is each account and region bootstrapped, new enough, and does it let the
    pipeline's account deploy; is the connection to the repository's host available. It only reads, by the lookup roles
    of the bootstrap, and assumes no role that may deploy. What is refused comes with the command that mends it.

    The status is 0 if all is fine, 1 if something is refused, 2 for other credentials or a wrong file.
    """
    promotion = load_promotion(folder)
    if promotion is None:
        fix = f"fix: add {PIPELINE_FILE} (see docs/pipeline-file.md), or run the command in the project's folder"
        raise CommandError(f"{folder} holds no {PIPELINE_FILE}\n{fix}", 2)
    findings = _findings(promotion)
    refused = [finding for finding in findings if finding.status == "refused"]
    if as_json:
        write_json({"ready": not refused, "findings": [asdict(finding) for finding in findings]})
    else:
        _print(promotion, findings, refused)
    if refused:
        raise typer.Exit(1)


def _findings(promotion: Promotion) -> "list[Finding]":
    from mistral7b.endpoint import EndpointError  # noqa: PLC0415
    from mistral7b.promotion.check import Cloud  # noqa: PLC0415
    from mistral7b.promotion.check import check as check_accounts  # noqa: PLC0415
    from mistral7b_cli.advice import explain_caller  # noqa: PLC0415 - boto3 takes long to load

    settings = promotion.settings
    try:
        announce(PIPELINE_NAME, settings.region, settings.account, promotion.file, must_know=True)
    except EndpointError as error:
        raise CommandError(explain_caller(error, settings.region), 2) from error
    answers = itertools.count(1)
    with progress.status("asking the accounts") as status:
        return check_accounts(
            promotion,
            Cloud(),
            lambda _: status.update(f"asking the accounts: {next(answers)} answered"),
            bootstrap(Path.cwd()),
        )


def _print(promotion: Promotion, findings: "list[Finding]", refused: "list[Finding]") -> None:
    title = f"Pipeline of {promotion.file}, in account {promotion.settings.account}"
    shown = table(title, "for", "what", "account", "region", "is", "")
    for finding in findings:
        shown.add_row(
            ", ".join(finding.used_by),
            finding.subject,
            finding.account,
            finding.region,
            Text(finding.status, style=_STYLES[finding.status]),
            Text("see below" if finding.fix else finding.detail),
        )
    out.print(shown)
    for finding in refused:
        where = f"{finding.subject} of {', '.join(finding.used_by)} ({finding.account}, {finding.region})"
        out.print(f"{where}: {finding.detail}\n    fix: {finding.fix}", markup=False, soft_wrap=True)
    if not refused:
        out.print("Every account is ready: cdk deploy pipeline")
