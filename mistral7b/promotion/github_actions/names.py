"""Names that workflow, roles and GitHub's environments agree on."""

from mistral7b.promotion.schema import PipelineSettings

PROVIDER = "token.actions.githubusercontent.com"
"""Issuer of the tokens of GitHub Actions, without https://; so its provider's ARN ends in each account."""
AUDIENCE = "sts.amazonaws.com"
"""The `aud` that aws-actions/configure-aws-credentials asks for."""


def deploy_role_name(environment: str) -> str:
    """The role, in the environment's account, of the job that deploys."""
    return f"mistral-7b-{environment}-github"


def review_role_name(environment: str) -> str:
    """The role, in the environment's account, of the job that compares: it deploys nothing."""
    return f"mistral-7b-{environment}-github-review"


def security_environment(environment: str) -> str:
    """The GitHub environment whose reviewers approve what broadens rights."""
    return f"{environment}-security"


def subject(settings: PipelineSettings, environment: str) -> str:
    """The `sub` of a job in the GitHub environment `environment` (GitHub's "OpenID Connect reference")."""
    return f"{_prefix(settings)}:environment:{environment}"


def review_subject(settings: PipelineSettings) -> str:
    """The `sub` of a job in no GitHub environment, of a run on the promoted branch."""
    return f"{_prefix(settings)}:ref:refs/heads/{settings.source.branch}"


def _prefix(settings: PipelineSettings) -> str:
    given = settings.github_actions.subject_prefix if settings.github_actions else None
    return given or f"repo:{settings.source.repository}"
