"""pipeline.yaml with fields that are right by themselves, and the rules that it has to keep to be valid."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from mistral7b.environment import Environment
from mistral7b.promotion.schema import PipelineSettings, Promoted
from mistral7b.yamlfile import Finding, Rulebook


@dataclass(frozen=True)
class UnvalidatedPipeline:
    """What the rules look at."""

    settings: PipelineSettings
    """The file's content."""
    known: tuple[str, ...]
    """Every environment that has a file."""
    environments: Mapping[str, Environment]
    """Those that the pipeline names and whose own files are right, by name."""
    folder: Path
    """Where the files are."""

    @property
    def promoted(self) -> Iterator[tuple[str, Promoted]]:
        """Each entry of `environments`, after the name of its field."""
        return ((f"environments.{index}", entry) for index, entry in enumerate(self.settings.environments))

    def account_of(self, environment: str) -> str:
        """The account of an environment: the pipeline's, unless its file names one."""
        return self.environments[environment].account or self.settings.account


_RULEBOOK = Rulebook[UnvalidatedPipeline]()
RULES = _RULEBOOK.rules
"""Every rule, with the fields that it reads."""
rule = _RULEBOOK.rule
check = _RULEBOOK.check
Findings = Iterator[Finding]
