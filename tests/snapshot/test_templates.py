"""The templates, whole. A change here is a change of what gets deployed: `pytest tests/snapshot --snapshot-update`."""

from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

ENVIRONMENTS = [
    *("dev", "staging", "prod"),
    *("archive", "base-model", "china", "everything", "existing-routes", "existing-vpc"),
]


@pytest.mark.parametrize("stack", ["network", "endpoint"])
@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_template_is_the_recorded_one(
    environment: str, stack: str, templates: dict[str, Any], snapshot: SnapshotAssertion
) -> None:
    assert templates[f"{environment}/{stack}"] == snapshot(extension_class=JSONSnapshotExtension)


def test_every_environment_has_its_templates_recorded(templates: dict[str, Any]) -> None:
    assert {path.split("/")[0] for path in templates} == set(ENVIRONMENTS)
