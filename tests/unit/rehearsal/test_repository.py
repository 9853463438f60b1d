"""The clone that stands for the repository on the provider."""

from pathlib import Path

import pytest

from mistral7b.errors import UserError
from mistral7b_cli.rehearsal.repository import (
    check_out,
    clone,
    commit_all,
    commit_of,
    put_on_branch,
    uncommitted,
)
from tests.unit.rehearsal.conftest import git


@pytest.fixture
def folder(project: Path, tmp_path: Path) -> Path:
    """A clone of the project."""
    clone(project, tmp_path / "clone")
    return tmp_path / "clone"


def test_a_clone_is_at_the_commit_with_its_subject(project: Path, folder: Path) -> None:
    made = check_out(folder, commit_of(project))
    assert (made.commit, made.subject) == (git(project, "rev-parse", "HEAD"), "First: it begins")


def test_uncommitted_files_are_listed_and_not_in_the_clone(project: Path, tmp_path: Path) -> None:
    (project / "environments" / "dev.yaml").write_text("region: eu-west-1\n")
    (project / "new.txt").touch()
    assert uncommitted(project) == [" M environments/dev.yaml", "?? new.txt"]
    clone(project, tmp_path / "clone")
    made = check_out(tmp_path / "clone", commit_of(project))
    assert (made.folder / "environments" / "dev.yaml").read_text() == "region: us-east-1\n"
    assert not (made.folder / "new.txt").exists()


def test_a_project_without_changes_has_nothing_uncommitted(project: Path) -> None:
    assert uncommitted(project) == []


def test_the_branch_is_the_pipelines_whatever_the_project_is_on(project: Path, folder: Path) -> None:
    made = check_out(folder, commit_of(project))
    put_on_branch(made, "release/2")
    assert git(folder, "rev-parse", "--abbrev-ref", "HEAD") == "release/2"
    assert git(folder, "rev-parse", "release/2") == made.commit


def test_a_commit_of_the_rehearsals_own_is_not_in_the_project(project: Path, folder: Path) -> None:
    made = check_out(folder, commit_of(project))
    (folder / "environments" / "dev.yaml").write_text("region: eu-west-1\n")
    changed = commit_all(made, folder / "environments", "Elsewhere")
    assert (changed.subject, changed.commit != made.commit) == ("Elsewhere", True)
    assert git(folder, "status", "--porcelain") == ""
    assert git(project, "rev-parse", "HEAD") == made.commit


def test_commit_works_without_a_git_user(folder: Path, project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("HOME", "/nonexistent")
    assert commit_all(check_out(folder, commit_of(project)), folder / "environments", "Nothing").subject == "Nothing"


def test_variables_of_a_git_hook_are_ignored(project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    assert commit_of(project) == commit_of(project, "main")


def test_a_folder_that_is_no_repository_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="not a git repository"):
        commit_of(tmp_path)


def test_a_repository_that_begins_above_the_project_is_refused_by_name(project: Path) -> None:
    with pytest.raises(UserError, match=f"begins at {project}, but the pipeline takes"):
        commit_of(project / "environments")


def test_a_repository_without_a_commit_says_what_to_do(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    with pytest.raises(UserError, match="has no commit HEAD\nfix: commit the project first"):
        commit_of(tmp_path)


def test_an_unknown_commit_is_refused_by_name(project: Path) -> None:
    with pytest.raises(UserError, match="has no commit origin/nowhere\nfix: name a commit"):
        commit_of(project, "origin/nowhere")


def test_missing_git_is_reported(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(UserError, match="there is no git"):
        commit_of(project)
