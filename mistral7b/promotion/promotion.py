"""What is promoted, in which order, and where each environment is."""

from dataclasses import dataclass
from pathlib import Path

from mistral7b.environment import Environment
from mistral7b.promotion.schema import PipelineSettings


@dataclass(frozen=True)
class PromotedEnvironment:
    """One environment on the way."""

    environment: Environment
    """As its file has it; without an account there, it is in the pipeline's."""
    account: str
    """The account that it is in."""
    gates: tuple[str, ...]
    """Commands after the smoke test, in order."""
    approval: bool
    """Whether someone has to approve the deployment."""

    @property
    def name(self) -> str:
        """The environment's name."""
        return self.environment.name

    @property
    def region(self) -> str:
        """The region that it is in."""
        return self.environment.region


@dataclass(frozen=True)
class Promotion:
    """What pipeline.yaml says, with the environments that it names."""

    settings: PipelineSettings
    """The file's content."""
    file: Path
    """The file."""
    environments: tuple[PromotedEnvironment, ...]
    """In the order of promotion."""
