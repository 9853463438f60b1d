"""Writes environment files and reads back what is wrong with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mistral7b.environment import Environment, EnvironmentFileError, Problem, load_environment

Load = Callable[..., Environment]
Problems = Callable[..., dict[str, Problem]]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads dev.yaml with the given text, over common.yaml with the other."""

    def _load(dev: str, common: str | None = None) -> Environment:
        (tmp_path / "dev.yaml").write_text(dev, encoding="utf-8")
        if common is not None:
            (tmp_path / "common.yaml").write_text(common, encoding="utf-8")
        return load_environment(tmp_path, "dev")

    return _load


@pytest.fixture
def problems(load: Load) -> Problems:
    """The problems of dev.yaml with the given text, by field."""

    def _problems(dev: str, common: str | None = None) -> dict[str, Problem]:
        with pytest.raises(EnvironmentFileError) as caught:
            load(dev, common)
        return {p.field: p for p in caught.value.problems}

    return _problems
