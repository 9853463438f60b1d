"""Policy statements of every environment and pipeline."""

import pytest

from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage
from tools.statements import StackStatements, Statement


@pytest.fixture(scope="session")
def collected(stages: dict[str, EnvironmentStage]) -> dict[str, StackStatements]:
    """The statements of each environment."""
    return {name: StackStatements(name, stage.stacks) for name, stage in stages.items()}


@pytest.fixture(scope="session")
def of_pipelines(pipelines: dict[str, PipelineStack]) -> dict[str, StackStatements]:
    """The statements of each pipeline, by folder."""
    return {folder: StackStatements(folder, pipeline.stacks) for folder, pipeline in pipelines.items()}


@pytest.fixture(scope="session")
def statements(collected: dict[str, StackStatements]) -> list[Statement]:
    """Every statement of every environment."""
    return [statement for one in collected.values() for statement in one.statements]


@pytest.fixture(scope="session")
def all_statements(statements: list[Statement], of_pipelines: dict[str, StackStatements]) -> list[Statement]:
    """Every statement of every template."""
    return [*statements, *(statement for one in of_pipelines.values() for statement in one.statements)]
