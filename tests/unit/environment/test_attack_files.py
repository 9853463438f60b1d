"""Folders and files that are not what they should be, and the commands' answers to the worst of all."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mistral7b.environment import EnvironmentFileError, Problem, load_environment, load_environments
from tests.unit.stacks.test_app import run_app

GOOD = "region: us-east-1\n"
WORST = {
    "levels": ("tags: " + "[" * 30_000, "levels deep"),
    "laughs": ("a: &a [x]\nregion: *a\n", "region\n    anchors and aliases (&a, *a)"),
    "object": ("region: !!python/object/apply:os.system ['id']\n", "are not supported"),
    "digits": ("instance: {count: " + "9" * 30_000 + "}", "instance.count"),
    "escape": ('region: "\\x1b[31m\\ud800"\n', "region"),
    "huge": ("#" * 50_000_000, "the limit is 32,768"),
}


def problems_of(folder: Path, name: str = "dev") -> tuple[Problem, ...]:
    with pytest.raises(EnvironmentFileError) as caught:
        load_environment(folder, name)
    return caught.value.problems


def test_a_folder_in_place_of_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").mkdir()
    assert [p.reason for p in problems_of(tmp_path)] == ["it cannot be read: it is a folder"]


def test_a_pipe_in_place_of_a_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dev.yaml")
    assert [p.reason for p in problems_of(tmp_path)] == ["it cannot be read: it is not a regular file"]


@pytest.mark.parametrize("name", ["dev.yaml", "common.yaml"])
def test_a_link_to_nowhere_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(GOOD)
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).symlink_to(tmp_path / "nowhere")
    (problem,) = problems_of(tmp_path)
    assert (Path(problem.file).name, "No such file" in problem.reason) == (name, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(GOOD)
    (tmp_path / "dev.yaml").chmod(0)
    assert "Permission denied" in problems_of(tmp_path)[0].reason


def test_a_file_in_another_encoding_is_told_to_be_utf_8(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_bytes(GOOD.encode("utf-16"))
    assert "UTF-8" in problems_of(tmp_path)[0].fix


def test_a_byte_order_mark_is_no_part_of_the_first_field(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
    assert load_environment(tmp_path, "dev").region == "us-east-1"


@pytest.mark.parametrize("folder", ["missing", "file", "nul\0"])
def test_a_folder_that_cannot_be_read_is_told_from_an_empty_one(folder: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFileError) as caught:
        load_environments(tmp_path / folder)
    assert "it cannot be read: " in caught.value.problems[0].reason


def test_files_that_differ_in_case_are_two_and_the_capital_one_is_refused(tmp_path: Path) -> None:
    for name in ("dev", "Dev"):
        (tmp_path / f"{name}.yaml").write_text(GOOD)
    with pytest.raises(EnvironmentFileError) as caught:
        load_environments(tmp_path)
    assert [(p.field, p.value) for p in caught.value.problems] == [("name", "Dev")]


@pytest.mark.parametrize("name", ["дев", "d\u202eev", "d ev", "-dev", "d" * 21, "d\nev", "1", "dev\udcff"])
def test_a_file_whose_name_is_no_environments_is_told_to_be_renamed(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.yaml").write_text(GOOD)
    (problem,) = problems_of(tmp_path, name)
    assert problem.fix.startswith("rename the file")
    assert all(c.isprintable() or c == "\n" for c in str(problem))


@pytest.mark.parametrize("name", ["../environments/dev", "dev\0", "DEV", "", "."])
def test_a_name_that_is_no_files_is_no_environment(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "dev.yaml").write_text(GOOD)
    assert [p.reason for p in problems_of(folder, name)] == ["there is no such environment"]


@pytest.mark.parametrize("name", ["common", "pipeline"])
def test_a_reserved_name_is_called_that(name: str, tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(GOOD)
    (tmp_path / f"{name}.yaml").write_text("{}\n")
    assert [p.reason for p in problems_of(tmp_path, name)] == [f"{name} is a reserved name"]


def test_an_editors_lock_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(GOOD)
    (tmp_path / ".#dev.yaml").symlink_to("someone@host.1234")
    assert list(load_environments(tmp_path)) == ["dev"]


def test_a_line_break_that_editors_hide_cannot_smuggle_a_field(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(GOOD + "# harmless\u0085termination_protection: true\n", encoding="utf-8")
    (problem,) = problems_of(tmp_path)
    assert (problem.line, "U+0085" in problem.reason) == (2, True)


def test_a_letter_that_looks_like_another_is_named(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(GOOD + "modеl: base\n", encoding="utf-8")
    (problem,) = problems_of(tmp_path)
    assert "U+0435 CYRILLIC SMALL LETTER IE" in str(problem)
    assert "did you mean model?" in problem.fix


def limit_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (1024**3, 1024**3))


@pytest.mark.parametrize("name", WORST)
def test_the_command_ends_with_a_message_and_exit_code_2(name: str, tmp_path: Path) -> None:
    text, told = WORST[name]
    (tmp_path / "dev.yaml").write_text(text)
    command = [str(Path(sys.executable).parent / "mistral7b"), "settings", "dev", "--environments", str(tmp_path)]
    limit = limit_memory if sys.platform == "linux" else None  # macOS enforces none
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, preexec_fn=limit)
    assert (run.returncode, run.stdout) == (2, "")
    assert told in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("name", ["levels", "huge"])
def test_the_app_ends_with_a_message_and_exit_code_2(name: str, tmp_path: Path) -> None:
    text, told = WORST[name]
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "dev.yaml").write_text(text)
    run = run_app(tmp_path / "out", environments=str(folder))
    assert run.returncode == 2
    assert told in run.stderr
    assert "Traceback" not in run.stderr
