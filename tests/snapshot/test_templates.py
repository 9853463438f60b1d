"""The templates, whole. A change here is a change of what gets deployed: `make generate` records it."""

from pathlib import Path
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.variants import STACKS

RECORDED = Path(__file__).parent / "__snapshots__" / "test_templates"


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.replace("/", "-"))
def test_template_matches_snapshot(path: str, templates: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert templates[path] == snapshot(extension_class=JSONSnapshotExtension)


def test_every_snapshot_belongs_to_a_stack() -> None:
    recorded = {file.stem.partition("[")[2].rstrip("]") for file in RECORDED.glob("*.json")}
    assert recorded == {path.replace("/", "-") for path in STACKS}
