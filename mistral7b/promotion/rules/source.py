"""The repository, as its host names it."""

import re
from collections.abc import Iterator

from mistral7b.promotion.draft import Draft
from mistral7b.promotion.rules.registry import Finding, rule

_GITHUB_OWNER = r"[A-Za-z0-9](?:-?[A-Za-z0-9]){0,38}"
_NAME = r"[A-Za-z0-9._-]{1,100}"
_GITLAB_PART = r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,98}[A-Za-z0-9_])?"
# Form and example of FullRepositoryId (CodePipeline user guide, CodeStarSourceConnection) by provider: names as
# GitHub's, GitLab's ("Reserved project and group names") and Bitbucket's documentation have them.
_REPOSITORY = {
    "github": (rf"{_GITHUB_OWNER}/{_NAME}", "owner/name"),
    "gitlab": (rf"{_GITLAB_PART}(?:/{_GITLAB_PART}){{1,20}}", "group/name or group/subgroup/name"),
    "bitbucket": (rf"[a-z0-9_-]{{1,62}}/{_NAME}", "workspace/name, in the letters of its address"),
}


@rule("source.repository", "source.provider")
def _repository_is_named_as_its_host_names_it(draft: Draft) -> Iterator[Finding]:
    source = draft.settings.source
    pattern, example = _REPOSITORY[source.provider]
    name = source.repository.rsplit("/", 1)[-1]
    if re.fullmatch(pattern, source.repository) and name not in (".", "..") and not name.endswith(".git"):
        return
    reason = f"{source.provider} names no repository like that"
    fix = f"write {example}, without https:// and .git"
    yield Finding(("source", "repository"), source.repository, reason, fix)
