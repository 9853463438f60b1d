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
