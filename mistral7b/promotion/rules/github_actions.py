"""What GitHub Actions take: a repository on GitHub, its name in the tokens, names, and time of artifacts."""

import re
from collections.abc import Iterator

from mistral7b.promotion.draft import Draft
from mistral7b.promotion.github_actions import security_environment
from mistral7b.promotion.regions import partition
from mistral7b.promotion.rules.registry import Finding, rule

LONGEST_RETENTION_DAYS = 400
"""Of private repositories; of public ones it is 90 (GitHub, "Configuring the retention period for artifacts")."""


@rule("source.provider", "github_actions")
def _the_repository_is_on_github(draft: Draft) -> Iterator[Finding]:
    if draft.settings.github_actions is not None and draft.settings.source.provider != "github":
        reason = f"the repository is on {draft.settings.source.provider}"
        yield Finding(("github_actions",), None, reason, "remove it, or set source.provider to github")


@rule("github_actions", "source.repository")
def _the_subject_is_the_repositorys(draft: Draft) -> Iterator[Finding]:
    """`sub` as GitHub's "OpenID Connect reference" has it, "Immutable subject claims"."""
    given = draft.settings.github_actions.subject_prefix if draft.settings.github_actions else None
    if given is None:
        return
    repository = draft.settings.source.repository
    pattern = "repo:" + "/".join(rf"{re.escape(part)}(?:@[0-9]+)?" for part in repository.split("/"))
    if not re.fullmatch(pattern, given, re.IGNORECASE | re.ASCII):
        reason = f"no token of {repository} begins so"
        fix = f"use the answer of: gh api repos/{repository}/actions/oidc/customization/sub --jq .sub_claim_prefix"
        yield Finding(("github_actions", "subject_prefix"), given, reason, fix)


@rule("github_actions", "account", "environments")
def _providers_are_of_the_environments_accounts(draft: Draft) -> Iterator[Finding]:
    if draft.settings.github_actions is None:
        return
    accounts = {draft.account_of(name) for name in draft.environments}
    own = partition(draft.settings.region)
    for index, arn in enumerate(draft.settings.github_actions.oidc_provider_arns):
        _, arn_partition, _, _, account, _ = arn.split(":", 5)
        if (arn_partition, account) not in {(own, one) for one in accounts}:
            reason = "no promoted environment is in its account"
            fix = f"remove it; the environments are in {', '.join(sorted(accounts)) or 'no account'}, partition {own}"
            yield Finding(("github_actions", "oidc_provider_arns", index), arn, reason, fix)


@rule("github_actions", "environments")
def _approvals_have_environments_of_their_own(draft: Draft) -> Iterator[Finding]:
    if draft.settings.github_actions is None:
        return
    approvals = {security_environment(promoted.name): promoted.name for promoted in draft.settings.environments}
    for index, promoted in enumerate(draft.settings.environments):
        if promoted.name in approvals:
            reason = f"so is the GitHub environment named where changes of rights in {approvals[promoted.name]} wait"
            yield Finding(("environments", index, "name"), promoted.name, reason, "rename the environment's file")


@rule("github_actions", "artifacts")
def _artifacts_expire_when_github_lets_them(draft: Draft) -> Iterator[Finding]:
    days = draft.settings.artifacts.retention_days
    if draft.settings.github_actions is not None and days > LONGEST_RETENTION_DAYS:
        reason = f"GitHub keeps artifacts of workflows {LONGEST_RETENTION_DAYS} days at most, of public repositories 90"
        yield Finding(("artifacts", "retention_days"), days, reason, f"use {LONGEST_RETENTION_DAYS} or less")
