"""A pipeline file, and a runner with the GitHub CLI."""

from pathlib import Path

import pytest

from mistral7b.promotion import Promotion
from tests.unit.promotion.github.machine import Machine
from tests.unit.promotion.github.pipelines import load


@pytest.fixture(scope="session")
def promotion(tmp_path_factory: pytest.TempPathFactory) -> Promotion:
    """Dev, staging with two gates, prod."""
    return load(tmp_path_factory.mktemp("promoted") / "environments")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A runner without environments on GitHub."""
    return Machine(tmp_path / "machine")
