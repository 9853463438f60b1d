"""Pipelines as they are deployed."""

from tests.unit.sagehost.pipelines.structures import definition, pipeline


def test_definitions_are_equal_while_the_pipeline_is_the_same() -> None:
    assert definition(pipeline()) == definition(pipeline())
    assert definition(pipeline()) != definition(pipeline(ExecutionMode="SUPERSEDED"))
