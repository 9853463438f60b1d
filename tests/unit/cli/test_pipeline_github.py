"""`mistral7b pipeline github-actions`: what it writes, compares and asks."""

from pathlib import Path

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.promotion.github.pipelines import write

FILE = Path(".github/workflows/promote.yml")


@pytest.fixture
def repository(machine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a pipeline file, where the command runs."""
    monkeypatch.delenv("MISTRAL7B_ENVIRONMENTS")
    write(tmp_path / "environments")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_workflow_is_written_where_github_looks_for_it(repository: Path, run: Run) -> None:
    done = run("pipeline", "github-actions")
    assert (done.status, done.err) == (0, f"{FILE} is written: commit it\n")
    assert (repository / FILE).read_text().startswith("# Made from environments/pipeline.yaml")


def test_a_second_run_leaves_the_file_alone(repository: Path, run: Run) -> None:
    run("pipeline", "github-actions")
    before = (repository / FILE).stat().st_mtime_ns
    done = run("pipeline", "github-actions")
    assert (done.status, done.err) == (0, f"{FILE} is up to date\n")
    assert (repository / FILE).stat().st_mtime_ns == before


def test_a_workflow_that_is_current_passes_the_check(repository: Path, run: Run) -> None:
    run("pipeline", "github-actions")
    assert run("pipeline", "github-actions", "--check").status == 0


def test_a_workflow_that_someone_edited_fails_the_check_at_its_line(repository: Path, run: Run) -> None:
    run("pipeline", "github-actions")
    text = (repository / FILE).read_text()
    (repository / FILE).write_text(text.replace("name: promote\n", "name: demote\n"))
    done = run("pipeline", "github-actions", "--check")
    assert done.status == 1
    assert f"{FILE}:4: it is not what the pipeline file says, which is: name: promote" in done.err


def test_a_workflow_that_was_cut_fails_the_check(repository: Path, run: Run) -> None:
    run("pipeline", "github-actions")
    text = (repository / FILE).read_text()
    (repository / FILE).write_text(text[: text.index("concurrency:")])
    assert run("pipeline", "github-actions", "--check").status == 1


def test_a_workflow_that_is_not_there_fails_the_check_and_is_not_written(repository: Path, run: Run) -> None:
    done = run("pipeline", "github-actions", "--check")
    assert (done.status, (repository / FILE).exists()) == (1, False)
    assert "fix: run mistral7b pipeline github-actions" in done.err


def test_a_workflow_of_another_name_checks_itself_under_that_name(repository: Path, run: Run) -> None:
    other = ".github/workflows/ship it.yml"
    run("pipeline", "github-actions", "--output", other)
    assert f"--check --output '{other}'" in (repository / other).read_text()
    assert run("pipeline", "github-actions", "--check", "--output", other).status == 0


def test_a_dash_writes_to_standard_output_alone(repository: Path, run: Run) -> None:
    done = run("pipeline", "github-actions", "--output", "-")
    assert (done.status, done.err, (repository / FILE).exists()) == (0, "", False)
    assert done.out.endswith("mistral7b smoke prod\n")


def test_a_file_that_cannot_be_written_is_named(repository: Path, run: Run) -> None:
    (repository / "taken").write_text("a file")
    done = run("pipeline", "github-actions", "--output", "taken/promote.yml")
    assert done.status == 2
    assert "--output taken/promote.yml" in done.err


def test_without_a_pipeline_file_there_is_no_workflow(repository: Path, run: Run) -> None:
    (repository / "environments" / "pipeline.yaml").unlink()
    done = run("pipeline", "github-actions")
    assert done.status == 2
    assert "environments/pipeline.yaml: there is no such file" in done.err


def test_a_pipeline_that_does_not_use_github_actions_is_told_how_to(repository: Path, run: Run) -> None:
    write(repository / "environments", {"github_actions": None})
    done = run("pipeline", "github-actions")
    assert done.status == 2
    assert "fix: add the line  github_actions: {}" in done.err


def test_a_wrong_pipeline_file_is_refused_by_its_field(repository: Path, run: Run) -> None:
    write(repository / "environments", {"region": "us-esat-1"})
    done = run("pipeline", "github-actions", "--settings")
    assert (done.status, done.out) == (2, "")
    assert "did you mean us-east-1?" in done.err


def test_a_folder_outside_of_the_repository_is_refused(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    outside = write(repository / "outside")
    (repository / "inside").mkdir()
    monkeypatch.chdir(repository / "inside")
    done = run("pipeline", "github-actions", "--environments", str(outside))
    assert done.status == 2
    assert "outside of the folder that the command runs in" in done.err


def test_two_tasks_at_once_are_refused(repository: Path, run: Run) -> None:
    done = run("pipeline", "github-actions", "--check", "--settings")
    assert (done.status, "give one of them" in done.err) == (2, True)


def test_the_settings_are_a_script(repository: Path, run: Run) -> None:
    done = run("pipeline", "github-actions", "--settings")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("#!/usr/bin/env bash\n")


def test_settings_that_nobody_may_read_are_an_error(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GH_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    done = run("pipeline", "github-actions", "--verify-settings")
    assert (done.status, "GH_TOKEN is not set" in done.err) == (2, True)


def test_missing_settings_are_told_one_a_line_with_their_fix(
    repository: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mistral7b.promotion.github_actions.github", lambda: lambda path: None)
    done = run("pipeline", "github-actions", "--verify-settings")
    assert done.status == 1
    assert done.err.splitlines()[1:3] == [
        "dev-security: GitHub has no such environment",
        "dev: GitHub has no such environment",
    ]
    assert "fix: mistral7b pipeline github-actions --settings" in done.err
