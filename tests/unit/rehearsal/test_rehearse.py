"""What is rehearsed of a commit, and what stays."""

from pathlib import Path

import pytest

from mistral7b.environment import EnvironmentFileError
from mistral7b.errors import UserError
from mistral7b_cli.rehearsal.rehearse import _scratch, commit
from mistral7b_cli.rehearsal.repository import clone, commit_of
from tests.unit.rehearsal.conftest import PIPELINE_FILE, git

CONNECTION = "arn:aws:codeconnections:us-east-1:111111111111:connection/11111111-2222-3333-4444-555555555555"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where to clone to."""
    return tmp_path / "clone"


def change(project: Path, file: str, text: str) -> None:
    """Commits a change."""
    (project / "environments" / file).write_text(text)
    git(project, "commit", "--quiet", "--all", "--message", "Change")


def test_a_commit_goes_to_the_pipelines_branch_as_it_is(project: Path, folder: Path) -> None:
    clone(project, folder)
    promotion, made = commit(folder, commit_of(project))
    assert made.commit == commit_of(project)
    assert git(folder, "rev-parse", "release") == made.commit
    assert [environment.account for environment in promotion.environments] == ["111111111111"]


def test_a_connection_that_is_on_aws_gives_way_to_the_rehearsals_own(project: Path, folder: Path) -> None:
    file = PIPELINE_FILE.replace("branch: release", f'branch: release, connection_arn: "{CONNECTION}"')
    change(project, "pipeline.yaml", file)
    clone(project, folder)
    promotion, made = commit(folder, commit_of(project))
    assert promotion.settings.source.connection_arn is None
    assert promotion.settings.source.branch == "release"
    assert CONNECTION not in git(folder, "show", f"{made.commit}:environments/pipeline.yaml")
    assert CONNECTION in (project / "environments" / "pipeline.yaml").read_text()


def test_a_rehearsal_waits_a_minute_for_alarms_to_be_quiet(project: Path, folder: Path) -> None:
    change(project, "dev.yaml", (project / "environments" / "dev.yaml").read_text() + "alarms: {}\n")
    change(project, "pipeline.yaml", PIPELINE_FILE.replace("name: dev", "name: dev, quiet_minutes: 30"))
    clone(project, folder)
    promotion, made = commit(folder, commit_of(project))
    assert [one.quiet_minutes for one in promotion.environments] == [1]
    assert made.subject == "For the rehearsal: a connection of its own, quiet_minutes: 1"


def test_a_commit_without_a_pipeline_is_refused_by_name(project: Path, folder: Path) -> None:
    git(project, "rm", "--quiet", "environments/pipeline.yaml")
    git(project, "commit", "--quiet", "--message", "No pipeline")
    clone(project, folder)
    with pytest.raises(UserError, match=f"commit {commit_of(project)[:10]} has no environments/pipeline.yaml"):
        commit(folder, commit_of(project))


def test_wrong_files_of_the_commit_are_refused_before_anything_is_deployed(project: Path, folder: Path) -> None:
    change(project, "dev.yaml", "region: us-esat-1\n")
    clone(project, folder)
    with pytest.raises(EnvironmentFileError, match=r"\nenvironments/dev\.yaml:1: region = 'us-esat-1'") as refused:
        commit(folder, commit_of(project))
    assert f"of commit {commit_of(project)[:10]}" in str(refused.value)


def test_scratch_folder_is_removed_after_the_rehearsal() -> None:
    with _scratch(keep=False) as scratch:
        (scratch / "file").touch()
    assert not scratch.exists()


def test_a_scratch_folder_that_is_kept_stays_after_a_failure() -> None:
    with pytest.raises(ValueError, match="wrong"), _scratch(keep=True) as scratch:
        raise ValueError("wrong")
    assert scratch.is_dir()
    scratch.rmdir()


def test_an_interrupted_rehearsal_keeps_nothing() -> None:
    with pytest.raises(KeyboardInterrupt), _scratch(keep=True) as scratch:
        raise KeyboardInterrupt
    assert not scratch.exists()
