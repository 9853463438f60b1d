"""The commit that is rehearsed: a clone of the project at HEAD, which stands for the repository on the provider.

Every function raises UserError if git refuses.
"""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mistral7b.errors import UserError

# A rehearsal may be started by a git hook, which says in these where its own repository is.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True)
class Clone:
    """A clone, checked out."""

    folder: Path
    commit: str
    subject: str
    """First line of the commit's message."""


def commit_of(project: Path, revision: str = "HEAD") -> str:
    """The full id of a commit of the project, which has to be a repository of its own."""
    top = Path(_git(project, "rev-parse", "--show-toplevel"))
    if top.resolve() != project.resolve():
        raise UserError(
            f"the repository of {project} begins at {top}, but the pipeline takes a repository that has cdk.json at "
            "its top\nfix: give the project a repository of its own (git init)"
        )
    try:
        return _git(project, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    except UserError as error:
        fix = "commit the project first" if revision == "HEAD" else "name a commit that `git log` shows"
        raise UserError(f"{project} has no commit {revision}\nfix: {fix}") from error


def uncommitted(project: Path) -> list[str]:
    """Files that differ from HEAD or that git does not know, as `git status --short` lists them."""
    return [line for line in _git(project, "status", "--porcelain", strip=False).split("\n") if line]


def clone(project: Path, folder: Path) -> None:
    """Clones the project without checking anything out."""
    _git(project, "clone", "--quiet", "--no-checkout", str(project), str(folder))


def check_out(folder: Path, commit: str) -> Clone:
    """Checks a commit out in a clone, on no branch."""
    _git(folder, "checkout", "--quiet", "--force", "--detach", commit)
    return _clone(folder)


def commit_all(made: Clone, files: Path, subject: str) -> Clone:
    """Commits what has changed in the folder of environment files, on top of what is checked out."""
    _git(made.folder, "add", "--all", "--force", "--", str(files))
    author = ("-c", "user.name=mistral7b", "-c", "user.email=rehearsal@localhost")
    _git(made.folder, *author, "commit", "--quiet", "--allow-empty", "--no-verify", "--no-gpg-sign", "-m", subject)
    return _clone(made.folder)


def put_on_branch(made: Clone, branch: str) -> None:
    """Has a branch point to what is checked out, as a push does at the provider."""
    _git(made.folder, "checkout", "--quiet", "-B", branch)


def archive(folder: Path, branch: str, file: Path) -> str | None:
    """Writes the files of a branch into a zip file; the id of its commit, or None if there is no such branch."""
    with suppress(UserError):
        commit = _git(folder, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
        _git(folder, "archive", "--format=zip", f"--output={file}", commit)
        return commit
    return None


def _clone(folder: Path) -> Clone:
    return Clone(folder, _git(folder, "rev-parse", "HEAD"), _git(folder, "log", "-1", "--format=%s"))


def _git(folder: Path, *arguments: str, strip: bool = True) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_A_HOOK}
    try:
        ended = subprocess.run(
            ["git", *arguments], cwd=folder, env=environment, input="", capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        raise UserError("there is no git\nfix: install it: the pipeline's source is a git repository") from None
    if ended.returncode != 0:
        raise UserError(f"git {arguments[0]} in {folder}: {ended.stderr.strip() or 'no'}")
    return ended.stdout.strip() if strip else ended.stdout
