"""What the tests of docs/constraints.md share."""

from typing import Any

import pytest

from tests.unit.constraints.deployment import Deployment
from tests.variants import ENVIRONMENTS


@pytest.fixture(params=ENVIRONMENTS)
def deployed(request: pytest.FixtureRequest, templates: dict[str, Any]) -> Deployment:
    """What each of the environments deploys."""
    resources = templates[f"{request.param}/endpoint"]["Resources"]
    return Deployment(ENVIRONMENTS[request.param], resources)
