"""A pipeline file whose fields are right by themselves, before the rules across them are checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mistral7b.environment import Environment
from mistral7b.promotion.schema import PipelineSettings


@dataclass(frozen=True)
class Draft:
    """What the rules look at."""

    settings: PipelineSettings
    """The file's content."""
    known: tuple[str, ...]
    """Every environment that has a file."""
    environments: Mapping[str, Environment]
    """Those that the pipeline names and whose own files are right, by name."""
    folder: Path
    """Where the files are."""

    def account_of(self, environment: str) -> str:
        """The account of an environment: the pipeline's, unless its file names one."""
        return self.environments[environment].account or self.settings.account
