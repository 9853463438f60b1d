"""`mistral7b pipeline check`: whether the accounts are ready for the pipeline."""

import itertools
from pathlib import Path

import typer
from rich.text import Text

from mistral7b.project import bootstrap
from mistral7b.promotion.check.checks import check as check_accounts
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.layout import Table
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, promotion_of
from mistral7b_cli.output import conclude, progress, say

commands = typer.Typer()
_EPILOG = """
**Examples**

$ AWS_PROFILE=tools mistral7b pipeline check  # before: cdk deploy pipeline
$ mistral7b pipeline check --json  # for scripts
"""
_STYLES = {"fine": "green", "later": "yellow", "refused": "bold red"}


@commands.command(epilog=_EPILOG)
def check(folder: EnvironmentsFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Check whether every account is ready for the pipeline, before anything is deployed.

    With credentials of the pipeline's account: is each account and region bootstrapped, new enough, and does it let the
    pipeline's account deploy; is the connection to the repository's host available. It only reads, by the lookup roles
    of the bootstrap, and assumes no role that may deploy. What is refused comes with the command that fixes it.

    The exit code is 1 if something is refused.
    """
    promotion = promotion_of(folder)
    settings, answers = promotion.settings, itertools.count(1)
    with explained(settings.region, what="AWS does not say whose credentials these are"):
        announce(PIPELINE_NAME, settings.region, settings.account, promotion.file, must_know=True)
    with progress.status("checking the accounts") as status:
        findings = check_accounts(
            promotion,
            Cloud(),
            lambda _: status.update(f"checking the accounts: {next(answers)} answered"),
            bootstrap(Path.cwd()),
        )
    if not as_json:
        rows = [
            (
                *(", ".join(one.used_by), one.subject, one.account, one.region),
                Text(one.status, _STYLES[one.status]),
                "see below" if one.problems else one.detail,
            )
            for one in findings
        ]
        title = f"Pipeline of {promotion.file}, in account {settings.account}"
        say(Table(title, ("for", "what", "account", "region", "is", ""), rows))
    conclude([one for finding in findings for one in finding.problems], {"findings": findings} if as_json else None)
    if not as_json:
        say("Every account is ready: cdk deploy pipeline")
