"""What the workflow in docs/github-actions/ and the roles of stacks/github.py agree on: names, subjects, durations."""

import math
from typing import Any

from mistral7b.catalog import partition
from mistral7b.promotion.names import gate_role_name
from mistral7b.promotion.schema import PipelineSettings, PromotedEnvironment, Promotion

PROVIDER = "token.actions.githubusercontent.com"
"""Issuer of the tokens of GitHub Actions, without https://; so its provider's ARN ends in each account."""
AUDIENCE = "sts.amazonaws.com"
"""The `aud` that aws-actions/configure-aws-credentials asks for."""
SMOKE_MINUTES = 5
GATE_MINUTES = 15
_SETUP_AND_NETWORK_MINUTES = 30
LONGEST_JOB_MINUTES = 360
"""GitHub, "Usage limits": of a job on a runner of GitHub's own."""


def deploy_role_name(environment: str) -> str:
    """The role, in the environment's account, of the job that deploys."""
    return f"mistral-7b-{environment}-github"


def review_role_name(environment: str) -> str:
    """The role, in the environment's account, of the job that compares: it deploys nothing."""
    return f"mistral-7b-{environment}-github-review"


def security_environment(environment: str) -> str:
    """The GitHub environment whose reviewers approve what broadens rights."""
    return f"{environment}-security"


def subjects(settings: PipelineSettings, environment: str) -> list[str]:
    """The `sub` of a job in the GitHub environment `environment` (GitHub's "OpenID Connect reference"), as patterns."""
    return [f"{prefix}:environment:{environment}" for prefix in _prefixes(settings)]


def review_subjects(settings: PipelineSettings) -> list[str]:
    """The `sub` of a job in no GitHub environment, of a run on the promoted branch, as patterns."""
    return [f"{prefix}:ref:refs/heads/{settings.source.branch}" for prefix in _prefixes(settings)]


def _prefixes(settings: PipelineSettings) -> list[str]:
    """The one that the file names, or both forms: names and ids have no `/`, `@` or `:`, so each `*` is an id."""
    if settings.github_actions and settings.github_actions.subject_prefix:
        return [settings.github_actions.subject_prefix]
    owner, _, name = settings.source.repository.partition("/")
    return [f"repo:{owner}/{name}", f"repo:{owner}@*/{name}@*"]


def smoke_minutes(promoted: PromotedEnvironment) -> int:
    """Time of the smoke test, with alarms that may take ten minutes to end before they have to be quiet."""
    return SMOKE_MINUTES + promoted.quiet_minutes + min(promoted.quiet_minutes, 10)


def deploy_minutes(promoted: PromotedEnvironment) -> int:
    """Time of the job that deploys: an update that fails at its end and is rolled back, then smoke and gates.

    What is at office hours may have to be started before it is updated.
    """
    timeouts = promoted.environment.timeouts
    start = math.ceil((timeouts.model_download_seconds + timeouts.container_startup_seconds) / 60)
    starts = 2 if promoted.environment.office_hours is None else 3
    checks = smoke_minutes(promoted) + GATE_MINUTES * len(promoted.gates)
    return min(LONGEST_JOB_MINUTES, _SETUP_AND_NETWORK_MINUTES + starts * start + checks)


def session_seconds(promoted: PromotedEnvironment) -> int:
    """Session of the role that deploys: as long as its job. IAM takes 3600 to 43200 s (Role, MaxSessionDuration)."""
    return max(3600, 60 * deploy_minutes(promoted))


def jobs(promotion: Promotion) -> dict[str, Any]:
    """What the workflow reads at run time: its branch, its commands, and each environment in the order of promotion."""
    settings = promotion.settings
    before = [None, *(promoted.name for promoted in promotion.environments)]
    return {
        "repository": settings.source.repository,
        "branch": settings.source.branch,
        "test": settings.build.test,
        "retention_days": settings.artifacts.retention_days,
        "environments": [
            {
                "name": promoted.name,
                "after": after,
                "account": promoted.account,
                "region": promoted.region,
                "approval": promoted.approval,
                "review_role": _role_arn(promoted, review_role_name(promoted.name)),
                "deploy_role": _role_arn(promoted, deploy_role_name(promoted.name)),
                "gate_role": _role_arn(promoted, gate_role_name(promoted.name)),
                "deploy_minutes": deploy_minutes(promoted),
                "session_seconds": session_seconds(promoted),
                "gates": list(promoted.gates),
                "quiet_minutes": promoted.quiet_minutes,
                "smoke_minutes": smoke_minutes(promoted),
            }
            for after, promoted in zip(before, promotion.environments, strict=False)
        ],
    }


def _role_arn(promoted: PromotedEnvironment, name: str) -> str:
    return f"arn:{partition(promoted.region)}:iam::{promoted.account}:role/{name}"
