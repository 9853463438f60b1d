"""Writes a pipeline file beside environment files, and reads back what is wrong with them."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mistral7b.environment import EnvironmentFileError, Problem
from mistral7b.promotion import Promotion, load_promotion

HEAD = 'account: "111111111111"\nregion: us-east-1\nsource: {repository: owner/name}\n'
"""What a pipeline file has to say, but for the environments."""
FILES = {
    "dev": "region: us-east-1\n",
    "staging": 'region: us-east-1\naccount: "222222222222"\n',
    "prod": 'region: eu-west-1\naccount: "333333333333"\n',
}

Load = Callable[..., Promotion]
Problems = Callable[..., dict[str, Problem]]


def head(**replaced: str) -> str:
    """`HEAD` with other lines in place of some fields' own."""
    lines = {line.split(":")[0]: line for line in HEAD.splitlines()} | replaced
    return "\n".join(lines.values()) + "\n"


def promoting(*names: str) -> str:
    """The `environments` of a pipeline file that says no more about them."""
    return "environments:\n" + "".join(f"  - name: {name}\n" for name in names)


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a pipeline file of the given text, beside the given environment files."""

    def _load(text: str, files: Mapping[str, str] = FILES) -> Promotion:
        for name, content in files.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        (tmp_path / "pipeline.yaml").write_text(text, encoding="utf-8")
        promotion = load_promotion(tmp_path)
        assert promotion is not None
        return promotion

    return _load


@pytest.fixture
def problems(load: Load) -> Problems:
    """The problems of a pipeline file of the given text, by field."""

    def _problems(text: str, files: Mapping[str, str] = FILES) -> dict[str, Problem]:
        with pytest.raises(EnvironmentFileError) as caught:
            load(text, files)
        return {problem.field: problem for problem in caught.value.problems}

    return _problems
