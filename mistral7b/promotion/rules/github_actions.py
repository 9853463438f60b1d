"""What GitHub Actions take: a repository on GitHub, its name in the tokens, names, and time of artifacts."""

import re

from mistral7b.promotion.github_actions import security_environment
from mistral7b.promotion.regions import partition
from mistral7b.promotion.unvalidated_pipeline import Findings, UnvalidatedPipeline, rule
from mistral7b.yamlfile import Finding

LONGEST_RETENTION_DAYS = 400
"""Of private repositories; of public ones it is 90 (GitHub, "Configuring the retention period for artifacts")."""


@rule("source.provider", "github_actions")
def _the_repository_is_on_github(pipeline: UnvalidatedPipeline) -> Findings:
    """GitHub Actions need a repository on GitHub, whose tokens begin with its name. Source: GitHub, OpenID Connect
    reference.
    """
    if pipeline.settings.github_actions is not None and pipeline.settings.source.provider != "github":
        reason = f"the repository is on {pipeline.settings.source.provider}"
        yield Finding("github_actions", reason, "remove it, or set source.provider to github")


@rule("github_actions", "source.repository")
def _the_subject_is_the_repositorys(pipeline: UnvalidatedPipeline) -> Findings:
    """`sub` as GitHub's "OpenID Connect reference" has it, "Immutable subject claims".

    GitHub Actions need a repository on GitHub, whose tokens begin with its name. Source: GitHub, OpenID Connect
    reference.
    """
    given = pipeline.settings.github_actions.subject_prefix if pipeline.settings.github_actions else None
    if given is None:
        return
    repository = pipeline.settings.source.repository
    pattern = "repo:" + "/".join(rf"{re.escape(part)}(?:@[0-9]+)?" for part in repository.split("/"))
    if not re.fullmatch(pattern, given, re.IGNORECASE | re.ASCII):
        reason = f"no token of {repository} begins so"
        fix = f"use the answer of: gh api repos/{repository}/actions/oidc/customization/sub --jq .sub_claim_prefix"
        yield Finding("github_actions.subject_prefix", reason, fix)


@rule("github_actions", "account", "environments")
def _providers_are_of_the_environments_accounts(pipeline: UnvalidatedPipeline) -> Findings:
    """A provider of tokens is GitHub's, in an account of a promoted environment. Source: IAM user guide, OIDC identity
    providers.
    """
    if pipeline.settings.github_actions is None:
        return
    accounts = {pipeline.account_of(name) for name in pipeline.environments}
    own = partition(pipeline.settings.region)
    for index, arn in enumerate(pipeline.settings.github_actions.oidc_provider_arns):
        _, arn_partition, _, _, account, _ = arn.split(":", 5)
        if (arn_partition, account) not in {(own, one) for one in accounts}:
            reason = "no promoted environment is in its account"
            fix = f"remove it; the environments are in {', '.join(sorted(accounts)) or 'no account'}, partition {own}"
            yield Finding(f"github_actions.oidc_provider_arns.{index}", reason, fix)


@rule("github_actions", "environments")
def _approvals_have_environments_of_their_own(pipeline: UnvalidatedPipeline) -> Findings:
    """Workflows keep artifacts 400 days at most, and have an environment of its own for each approval. Source: GitHub,
    retention period, environments.
    """
    if pipeline.settings.github_actions is None:
        return
    approvals = {security_environment(promoted.name): promoted.name for promoted in pipeline.settings.environments}
    for field, promoted in pipeline.promoted:
        if promoted.name in approvals:
            reason = f"the GitHub environment for security changes of {approvals[promoted.name]} has this name"
            yield Finding(f"{field}.name", reason, "rename the environment's file")


@rule("github_actions", "artifacts")
def _artifacts_expire_when_github_lets_them(pipeline: UnvalidatedPipeline) -> Findings:
    """Workflows keep artifacts 400 days at most, and have an environment of its own for each approval. Source: GitHub,
    retention period, environments.
    """
    days = pipeline.settings.artifacts.retention_days
    if pipeline.settings.github_actions is not None and days > LONGEST_RETENTION_DAYS:
        reason = f"GitHub keeps artifacts of workflows {LONGEST_RETENTION_DAYS} days at most, of public repositories 90"
        yield Finding("artifacts.retention_days", reason, f"use {LONGEST_RETENTION_DAYS} or less")
