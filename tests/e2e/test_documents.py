"""What README, tutorial and guides tell their readers to type, and what they show of the output."""

import json
import os
import shutil
from pathlib import Path

import pytest

from sagehost.lifecycle import running_server
from tests import documents
from tests.e2e.conftest import BIN, PROJECT, UNVALIDATED_APP, succeeded
from tests.e2e.test_own_copy import Copy, copy
from tests.variants import FOLDERS

PAGES = ("README.md", "docs/tutorial.md", "docs/change-a-setting.md", "docs/cut-the-bill.md")
ACCEPTED = PROJECT / "tests" / "snapshot" / "__snapshots__" / "test_templates"


@pytest.fixture
def reader(tmp_path: Path) -> Copy:
    """A clone with the environments as shipped, in one commit; its app has dev only, as no page deploys another one."""
    folder = tmp_path / "a clone"
    folder.mkdir()
    own = copy(folder)
    shutil.copytree(FOLDERS["typical"], own.folder / "environments")
    settings = json.loads((own.folder / "cdk.json").read_text())
    settings["context"] |= {"only": "dev"}
    (own.folder / "cdk.json").write_text(json.dumps(settings))
    shutil.copy(UNVALIDATED_APP, own.folder / "app.py")
    with (own.folder / "environments" / "common.yaml").open("a") as common:
        common.write("compliance_packs: []\n")  # what each synth checks, tests/unit/stacks/test_checks.py tests
    own.accepted.mkdir()
    [recorded] = ACCEPTED.glob("*[[]dev-endpoint[]].json")
    shutil.copy(recorded, own.accepted / "dev-endpoint.json")
    (own.folder / ".gitignore").write_text("node_modules\ncdk.out/\n.mistral7b/\n__pycache__/\n")
    git = ("git", "-c", "user.name=Reader", "-c", "user.email=reader@example.com")
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "As shipped")):
        succeeded(own.run(*git, *command))
    return own


@pytest.mark.parametrize("page", [pytest.param(page, marks=pytest.mark.xdist_group(page)) for page in PAGES])
def test_what_a_page_shows_happens(page: str, reader: Copy, tmp_path: Path) -> None:
    """The embedded AWS runs when the page starts it: on a free port, and at a speed at which answers take no time."""
    with running_server() as server:
        own = {
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "MISTRAL7B_LOCAL_STATE": str(Path(server.log).parent),
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "user.name",
            "GIT_CONFIG_VALUE_0": "Reader",
            "GIT_CONFIG_KEY_1": "user.email",
            "GIT_CONFIG_VALUE_1": "reader@example.com",
        }
        assert documents.run(PROJECT / page, reader.folder, os.environ | own, tmp_path)
