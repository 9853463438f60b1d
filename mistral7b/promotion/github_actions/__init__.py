"""Promotion by GitHub Actions: a workflow, and the settings that it needs on GitHub, from the pipeline file."""

from mistral7b.promotion.github_actions.durations import session_seconds
from mistral7b.promotion.github_actions.environments import GitHubEnvironment, github_environments
from mistral7b.promotion.github_actions.names import (
    AUDIENCE,
    PROVIDER,
    deploy_role_name,
    review_role_name,
    review_subjects,
    subjects,
)
from mistral7b.promotion.github_actions.protection import UnreadableSettingsError, github, unprotected
from mistral7b.promotion.github_actions.settings import settings_script
from mistral7b.promotion.github_actions.workflow import WORKFLOW_FILE, workflow

__all__ = [
    "AUDIENCE",
    "PROVIDER",
    "WORKFLOW_FILE",
    "GitHubEnvironment",
    "UnreadableSettingsError",
    "deploy_role_name",
    "github",
    "github_environments",
    "review_role_name",
    "review_subjects",
    "session_seconds",
    "settings_script",
    "subjects",
    "unprotected",
    "workflow",
]
