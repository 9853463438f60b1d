"""The settings on GitHub that no workflow can make for itself, as a script for the GitHub CLI."""

import shlex

from mistral7b.promotion.github_actions.environments import github_environments
from mistral7b.promotion.promotion import Promotion

_SCRIPT = """\
#!/usr/bin/env bash
# GitHub's environments of {repository}: who approves, and the one branch that they take deployments of.
# It takes the GitHub CLI, signed in as an administrator of the repository, and may be run again:
#   mistral7b pipeline github-actions --settings > settings.sh
#   bash settings.sh LOGIN              # a user approves
#   bash settings.sh ORGANISATION/TEAM  # anyone of a team approves
set -euo pipefail
repository={quoted_repository}
branch={quoted_branch}
approver="${{1:?name who approves: LOGIN or ORGANISATION/TEAM}}"

if [[ "$approver" == */* ]]; then
  reviewer="{{\\"type\\": \\"Team\\", \\"id\\": $(gh api "orgs/${{approver%%/*}}/teams/${{approver#*/}}" --jq .id)}}"
else
  reviewer="{{\\"type\\": \\"User\\", \\"id\\": $(gh api "users/$approver" --jq .id)}}"
fi

# environment NAME REVIEWERS: whoever started a run does not approve it, and deployments are of the branch alone
environment() {{
  gh api --silent --method PUT "repos/$repository/environments/$1" --input - << SETTINGS
{{
  "reviewers": $2,
  "prevent_self_review": true,
  "deployment_branch_policy": {{"protected_branches": false, "custom_branch_policies": true}}
}}
SETTINGS
  local policies="repos/$repository/environments/$1/deployment-branch-policies" present
  present="$(gh api "$policies" --jq '.branch_policies[].name')"
  if ! grep --quiet --line-regexp --fixed-strings -- "$branch" <<< "$present"; then
    gh api --silent --method POST "$policies" --raw-field "name=$branch" --raw-field type=branch
  fi
  echo "$1: set"
}}

{calls}
"""


def settings_script(promotion: Promotion) -> str:
    """A bash script that protects every environment of the workflow on GitHub."""
    source = promotion.settings.source
    calls = (
        'environment {} "{}"'.format(shlex.quote(one.name), "[$reviewer]" if one.reviewed else "[]")
        for one in github_environments(promotion)
    )
    return _SCRIPT.format(
        repository=source.repository,
        quoted_repository=shlex.quote(source.repository),
        quoted_branch=shlex.quote(source.branch),
        calls="\n".join(calls),
    )
