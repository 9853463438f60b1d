"""The templates, whole. A change here is a change of what gets deployed: `pytest tests/snapshot --snapshot-update`."""

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from tests.variants import STACKS


@pytest.mark.parametrize("path", STACKS, ids=lambda path: path.replace("/", "-"))
def test_the_template_is_the_recorded_one(path: str, templates: dict[str, Any], snapshot: SnapshotAssertion) -> None:
    assert templates[path] == snapshot(extension_class=JSONSnapshotExtension)


def test_every_stack_has_its_template_recorded(templates: dict[str, Any]) -> None:
    assert set(templates) == set(STACKS)
