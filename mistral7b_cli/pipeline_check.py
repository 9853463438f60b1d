"""`mistral7b pipeline check`: whether the accounts are ready for the pipeline."""

from functools import partial
from pathlib import Path

from mistral7b.project import bootstrap
from mistral7b.promotion.check.checks import check as check_accounts
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.names import PIPELINE_NAME
from mistral7b_cli.aws import announce, explained
from mistral7b_cli.findings import report
from mistral7b_cli.options import DEFAULT_FOLDER, AsJson, EnvironmentsFolder, promotion_of


def check(folder: EnvironmentsFolder = DEFAULT_FOLDER, as_json: AsJson = False) -> None:
    """Check whether every account is ready for the pipeline, before anything is deployed.

    With credentials of the pipeline's account: the checks of `mistral7b doctor` for every promoted environment; is each
    account and region bootstrapped, new enough, and does it let the pipeline's account deploy; is the connection to the
    repository's host available. It only reads, by the lookup roles of the bootstrap, and assumes no role that may
    deploy. What fails comes with the command that fixes it.

    The exit code is 1 if a check fails.
    """
    promotion = promotion_of(folder)
    settings = promotion.settings
    with explained(settings.region, what="AWS does not say whose credentials these are"):
        announce(PIPELINE_NAME, settings.region, settings.account, promotion.file, must_know=True)
    report(partial(check_accounts, promotion, Cloud(), bootstrap=bootstrap(Path.cwd())), {} if as_json else None)
