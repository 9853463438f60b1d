"""The environment files that README and docs show are taken as they stand."""

import re
import shutil
from pathlib import Path

import pytest

from mistral7b.environment import load_environment
from mistral7b_cli.app import _PANELS, _PIPELINE
from tests.variants import FOLDERS

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_SHOWN = re.compile(r"```yaml\n# environments/([a-z-]+)\.yaml[^\n]*\n(.*?)```", re.DOTALL)
SHOWN = [
    (guide.name, name, text)
    for guide in GUIDES
    for name, text in _SHOWN.findall(guide.read_text(encoding="utf-8"))
    if name != "pipeline"
]


def test_the_readme_shows_environment_files() -> None:
    assert {name for guide, name, _ in SHOWN if guide == "README.md"} >= {"dev", "prod"}


@pytest.mark.parametrize(("guide", "name", "text"), SHOWN, ids=[f"{guide}-{name}" for guide, name, _ in SHOWN])
def test_a_file_that_a_guide_shows_is_taken_over_common_as_shipped(
    guide: str, name: str, text: str, tmp_path: Path
) -> None:
    shutil.copy(FOLDERS["typical"] / "common.yaml", tmp_path)
    (tmp_path / f"{name}.yaml").write_text(text)
    assert load_environment(tmp_path, name).region


def test_the_readmes_tables_name_every_command_and_make_target() -> None:
    commands = [name for panel in _PANELS.values() for name in panel if name != "pipeline"]
    commands += [f"pipeline {name}" for name in _PIPELINE]
    targets = re.findall("^([a-z-]+):.* ## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    rows = re.findall("^\\| `([^`]+)`", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = [*commands, *(f"make {target}" for target in targets if target != "help")]
    assert [name for name in wanted if not any(f"{row} ".startswith(f"{name} ") for row in rows)] == []


def test_the_readmes_code_is_what_the_command_prints() -> None:
    readme, calling = ((ROOT / file).read_text(encoding="utf-8") for file in ("README.md", "docs/calling.md"))
    code, _ = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)  # the second is the constructs'
    assert code in calling  # which tests/e2e/test_calling.py compares and runs


@pytest.mark.parametrize("guide", GUIDES, ids=lambda file: file.name)
def test_a_link_to_a_file_leads_to_one(guide: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text(encoding="utf-8"))
    assert [link for link in links if not (guide.parent / link).exists()] == []
