"""Whether GitHub protects the workflow's environments as it has to.

A workflow that refers to an environment that is not there makes it, without any protection (GitHub, "Managing
environments for deployment"): what waits for nobody's approval would look approved. So it is asked first.
"""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

from mistral7b.promotion.github_actions.environments import GitHubEnvironment, github_environments
from mistral7b.promotion.promotion import Promotion

_TIMEOUT_S = 30.0

Ask = Callable[[str], Any]
"""Answer of GitHub's REST API for a path; None where there is nothing."""


class UnreadableSettingsError(Exception):
    """GitHub does not tell the settings: why not, and what to do."""


def github() -> Ask:
    """GitHub's REST API, by the token in GH_TOKEN or GITHUB_TOKEN.

    Raises:
        UnreadableSettingsError: where there is no token.
    """
    token = os.environ.get("GH_TOKEN") or os.environ.get("GITHUB_TOKEN")
    if not token:
        raise UnreadableSettingsError('GH_TOKEN is not set\nfix: export GH_TOKEN="$(gh auth token)"')
    base = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    return lambda path: _get(f"{base}{path}", token)


def unprotected(promotion: Promotion, ask: Ask) -> Iterator[str]:
    """What is missing, each with its fix left out: `mistral7b pipeline github-actions --settings` mends all of it.

    Args:
        promotion: What is promoted.
        ask: GitHub's REST API.

    Raises:
        UnreadableSettingsError: where GitHub does not answer, or not as documented.
    """
    source = promotion.settings.source
    for environment in github_environments(promotion):
        path = f"/repos/{source.repository}/environments/{environment.name}"
        try:
            yield from _missing(environment, path, source.branch, ask)
        except (KeyError, TypeError) as error:
            raise UnreadableSettingsError(f"GitHub describes {environment.name} in an unknown form: {error}") from error


def _missing(environment: GitHubEnvironment, path: str, branch: str, ask: Ask) -> Iterator[str]:
    found = ask(path)
    if found is None:
        yield f"{environment.name}: GitHub has no such environment"
        return
    required = [rule for rule in found["protection_rules"] if rule["type"] == "required_reviewers"]
    if environment.reviewed and not any(rule["reviewers"] for rule in required):
        yield f"{environment.name}: it has no required reviewers"
    if not (found["deployment_branch_policy"] or {}).get("custom_branch_policies"):
        yield f"{environment.name}: it takes deployments of other branches than {branch}"
        return
    policies = ask(f"{path}/deployment-branch-policies")["branch_policies"]
    allowed = {(policy.get("type", "branch"), policy["name"]) for policy in policies}
    if allowed != {("branch", branch)}:
        names = ", ".join(sorted(name for _, name in allowed)) or "none"
        yield f"{environment.name}: it takes deployments of {names}, and not of the branch {branch} alone"


def _get(url: str, token: str) -> Any:
    headers = {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_S) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 404:
                return None
            fix = "the token needs to read Actions of the repository" if error.code in (401, 403) else "try again later"
            raise UnreadableSettingsError(f"GitHub answers {error.code} to {url}\nfix: {fix}") from error
    except (OSError, ValueError) as error:
        raise UnreadableSettingsError(f"GitHub does not answer at {url}: {error}\nfix: try again later") from error
