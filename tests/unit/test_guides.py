"""The environment files that README and docs show are taken as they stand."""

import re
import shutil
from pathlib import Path

import pytest

from mistral7b.environment import load_environment
from tests.variants import FOLDERS

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_SHOWN = re.compile(r"```yaml\n# environments/([a-z-]+)\.yaml[^\n]*\n(.*?)```", re.DOTALL)
SHOWN = [
    (guide.name, name, text)
    for guide in GUIDES
    for name, text in _SHOWN.findall(guide.read_text(encoding="utf-8"))
    if name != "pipeline"
]


def test_guides_show_environment_files() -> None:
    assert {(guide, name) for guide, name, _ in SHOWN} >= {("README.md", "dev"), ("sizing.md", "prod")}


@pytest.mark.parametrize(("guide", "name", "text"), SHOWN, ids=[f"{guide}-{name}" for guide, name, _ in SHOWN])
def test_a_file_that_a_guide_shows_is_taken_over_common_as_shipped(
    guide: str, name: str, text: str, tmp_path: Path
) -> None:
    shutil.copy(FOLDERS["typical"] / "common.yaml", tmp_path)
    (tmp_path / f"{name}.yaml").write_text(text)
    assert load_environment(tmp_path, name).region


@pytest.mark.parametrize("guide", GUIDES, ids=lambda file: file.name)
def test_a_link_to_a_file_leads_to_one(guide: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", guide.read_text(encoding="utf-8"))
    assert [link for link in links if not (guide.parent / link).exists()] == []
