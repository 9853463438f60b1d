"""The environments that the workflow refers to on GitHub, and how each has to be protected there."""

from dataclasses import dataclass

from mistral7b.promotion.github_actions.names import security_environment
from mistral7b.promotion.promotion import Promotion


@dataclass(frozen=True)
class GitHubEnvironment:
    """One environment on GitHub. Each takes deployments of the promoted branch alone."""

    name: str
    reviewed: bool
    """Whether it needs required reviewers."""


def github_environments(promotion: Promotion) -> tuple[GitHubEnvironment, ...]:
    """Every environment of the workflow, in the order of promotion."""
    return tuple(
        one
        for promoted in promotion.environments
        for one in (
            GitHubEnvironment(security_environment(promoted.name), reviewed=True),
            GitHubEnvironment(promoted.name, promoted.approval),
        )
    )
