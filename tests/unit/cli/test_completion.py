"""What a shell offers after a tab, by typer's protocol for each shell."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "import sys; sys.argv[0] = 'mistral7b'\nfrom mistral7b_cli import main\nmain()"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Environment files, and what is none."""
    folder = tmp_path_factory.mktemp("environments")
    for name in ("common", "pipeline", "dev", "prod", "prod-eu"):
        (folder / f"{name}.yaml").write_text("not: [valid", encoding="utf-8")
    (folder / "notes.txt").touch()
    return folder


def offered(line: str, folder: Path, shell: str = "bash") -> list[str]:
    """What is offered at the end of a line; nothing may be said on standard error."""
    protocol = {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    if shell != "bash":
        protocol = {"_TYPER_COMPLETE_ARGS": line, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    environment = os.environ | protocol | {"_MISTRAL7B_COMPLETE": f"complete_{shell}"}
    environment["MISTRAL7B_ENVIRONMENTS"] = str(folder)
    ended = subprocess.run(COMMAND, env=environment, capture_output=True, text=True, check=False)
    assert ended.stderr == ""
    return ended.stdout.split()


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("mistral7b invoke ", ["dev", "prod", "prod-eu"]),
        ("mistral7b settings dev --compare p", ["prod", "prod-eu"]),
        ("mistral7b pipeline review p", ["prod", "prod-eu", "pipeline"]),
        ("mistral7b chat dev -p top_", ["top_k=", "top_p=", "top_n_tokens="]),
        ("mistral7b simulate --pattern ", ["constant", "daily", "burst", "ramp", "climb"]),
        ("mistral7b simulate dev --policy c", ["concurrency:"]),
        ("mistral7b examples dev --language ", ["en", "zh"]),
        ("mistral7b capacity ", ["table", "check", "fit"]),
        ("mistral7b plan dev --plot nowhere/x.jpg ", []),
    ],
)
def test_what_can_be_given_is_offered(line: str, expected: list[str], folder: Path) -> None:
    assert offered(line, folder) == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_offered_environments(shell: str, folder: Path) -> None:
    assert "prod-eu" in " ".join(offered("mistral7b invoke pro", folder, shell))


def test_a_folder_on_the_line_comes_before_the_variables(folder: Path, tmp_path: Path) -> None:
    assert offered(f"mistral7b invoke --environments {folder} d", tmp_path) == ["dev"]


@pytest.mark.parametrize("kind", ["missing", "a file"])
def test_without_a_folder_nothing_is_offered(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "there"
    if kind == "a file":
        place.touch()
    assert offered("mistral7b invoke ", place) == []
