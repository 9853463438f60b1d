"""The environment files that README and docs show are taken as they stand."""

import re
import shutil
from pathlib import Path

import pytest

from mistral7b.environment import load_environment
from tests import documents
from tests.variants import FOLDERS

ROOT = Path(__file__).parents[2]
GUIDES = [ROOT / "README.md", ROOT / "README.zh-CN.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    (guide.name, Path(file.path).stem, file.text)
    for guide in GUIDES
    for file in documents.files(guide)
    if file.path.startswith("environments/") and not file.added and Path(file.path).stem != "pipeline"
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


@pytest.mark.parametrize("guide", GUIDES, ids=lambda file: file.name)
def test_a_block_in_a_list_has_the_four_spaces_that_the_site_needs(guide: Path) -> None:
    lines = enumerate(guide.read_text(encoding="utf-8").splitlines(), 1)
    fences = [(number, len(fence[1])) for number, line in lines if (fence := re.match("( *)```", line))]
    assert [(number, indent) for number, indent in fences if indent % 4] == []
