"""The workflow's text."""

import re
import shlex
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

import yaml

from mistral7b.promotion.github_actions import jobs
from mistral7b.promotion.github_actions.pins import ACTIONS
from mistral7b.promotion.promotion import Promotion

WORKFLOW_FILE = PurePosixPath(".github/workflows/promote.yml")
DEFAULT_FOLDER = PurePosixPath("environments")

_HEADER = """\
# Made from {folder}/pipeline.yaml by `mistral7b pipeline github-actions`; the build fails where the two differ.
# docs/github-actions.md says how to set it up, and why it is as it is.
"""
_LOCK = """\
# One run at a time, from its build to its last gate, and no deployment is ever cancelled. With a lock for each job, the
# commit behind could be deployed between a commit's review and its deployment, and what was reviewed would be deployed
# over something else. Of the runs that wait GitHub keeps the newest. A run by hand of another branch, which skips
# everything, is in another group: it takes no place from a commit that waits.
"""
_GROUP = "mistral-7b-promotion-${{ github.ref }}"
_SHELL = """\
# A step fails with the first command that fails, with a variable that is not set, and anywhere in a pipe.
"""
_REASONS = {
    "actions: read": "to look whether the environments are protected",
    "id-token: write": "to sign in to AWS as this job",
}


def workflow(
    promotion: Promotion, *, file: PurePosixPath = WORKFLOW_FILE, folder: PurePosixPath = DEFAULT_FOLDER
) -> str:
    """The workflow that promotes, as YAML.

    Args:
        promotion: What is promoted, in which order.
        file: The workflow's own file, from the repository's root.
        folder: The environment files' folder, from the repository's root.
    """
    own_folder = folder != DEFAULT_FOLDER
    branch = promotion.settings.source.branch.replace("+", r"\+")  # in a filter, + repeats what is before it
    made = {
        jobs.BUILD: jobs.build(
            promotion.settings,
            workflow_file=shlex.quote(str(file)),
            synth_options=f" --context {shlex.quote(f'environments={folder}')}" if own_folder else "",
        )
    }
    before = None
    for promoted in promotion.environments:
        made |= jobs.of_environment(promotion.settings, promoted, before)
        before = promoted
    parts = [
        _HEADER.format(folder=folder),
        _yaml({"name": "promote"}),
        _yaml({"on": {"push": {"branches": [branch]}, "workflow_dispatch": {}}}),
        _yaml({"permissions": {}}),
        _LOCK + _yaml({"concurrency": {"group": _GROUP, "cancel-in-progress": False}}),
        _SHELL + _yaml({"defaults": {"run": {"shell": "bash --noprofile --norc -euo pipefail {0}"}}}),
        *([_yaml({"env": {"MISTRAL7B_ENVIRONMENTS": str(folder)}})] if own_folder else []),
        _yaml({"jobs": made}),
    ]
    return _with_comments("\n".join(parts))


class _Dumper(yaml.SafeDumper):
    """Scripts as blocks; no anchors where a list is there twice."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)


def _with_comments(text: str) -> str:
    """The text with each action's version beside its commit, where Dependabot looks for it, and why permissions are."""
    comments = {f"uses: {action.uses}": action.version for action in ACTIONS} | _REASONS
    lines = "|".join(map(re.escape, comments))
    return re.sub(rf"^( +)({lines})$", lambda found: f"{found[0]} # {comments[found[2]]}", text, flags=re.M)
