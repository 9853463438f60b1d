"""Workflows of several pipeline files."""

from pathlib import Path

import pytest

from mistral7b.promotion import Promotion
from tests.unit.promotion.github.pipelines import VARIANTS, load


@pytest.fixture
def promotion(tmp_path: Path) -> Promotion:
    """Dev, staging with two gates, prod."""
    return load(tmp_path / "environments")


@pytest.fixture(params=VARIANTS)
def variant(request: pytest.FixtureRequest, tmp_path: Path) -> Promotion:
    """Each of the pipeline files."""
    return load(tmp_path / "environments", VARIANTS[request.param])
