"""The connection to the repository, and what lets the pipeline use it."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b.promotion.schema import Source
from mistral7b_stacks.pipeline.source import Repository
from tests.unit.stacks.pipeline.reading import of_type, resource
from tests.variants import new_app

GIVEN = "arn:aws:{}:us-east-1:111111111111:connection/1b5ae5d3-8f1a-4b0e-9e2c-3d0f6a7c8b9d"


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(new_app(), "Test", env=cdk.Environment(account="111111111111", region="us-east-1"))


def template(stack: cdk.Stack) -> Any:
    return Template.from_stack(stack).to_json()


@pytest.mark.parametrize(("provider", "kind"), [("github", "GitHub"), ("gitlab", "GitLab"), ("bitbucket", "Bitbucket")])
def test_the_stack_makes_a_connection_to_the_files_host(provider: Any, kind: str, stack: cdk.Stack) -> None:
    Repository(stack, Source(provider=provider, repository="owner/name"))
    connection = resource(template(stack), "AWS::CodeConnections::Connection")["Properties"]
    assert connection == {"ConnectionName": "mistral-7b", "ProviderType": kind}


def test_a_connection_that_is_given_is_used_and_none_is_made(stack: cdk.Stack) -> None:
    given = GIVEN.format("codeconnections")
    repository = Repository(stack, Source(repository="owner/name", connection_arn=given))
    assert repository.connection_arn == given
    assert of_type(template(stack), "AWS::CodeConnections::Connection") == []


@pytest.mark.parametrize("prefix", ["codeconnections", "codestar-connections"])
def test_actions_and_conditions_are_by_both_names_of_the_service(prefix: str, stack: cdk.Stack) -> None:
    """A connection's actions and condition keys are given by both names of the service: no page tells which one
    CodePipeline asks by. Source: Developer Tools console user guide, permissions reference.
    """
    repository = Repository(stack, Source(repository="owner/name", connection_arn=GIVEN.format(prefix)))
    use, look = repository.use_permission(), repository.look_permission()
    services = ("codeconnections", "codestar-connections")
    assert [use.actions, look.actions] == [
        [f"{service}:{operation}" for service in services] for operation in ("UseConnection", "GetConnection")
    ]
    wanted = {"FullRepositoryId": "owner/name", "BranchName": "main"}
    assert use.conditions == {
        "StringEqualsIfExists": {f"{service}:{key}": value for service in services for key, value in wanted.items()}
    }
    assert use.resources == look.resources == [GIVEN.format(prefix)]


def test_a_repository_in_subgroups_of_gitlab_keeps_its_whole_name(stack: cdk.Stack) -> None:
    repository = Repository(stack, Source(provider="gitlab", repository="group/subgroup/name"))
    conditions = repository.use_permission().conditions or {}
    assert conditions["StringEqualsIfExists"]["codeconnections:FullRepositoryId"] == "group/subgroup/name"
    properties = repository.action().action_properties
    assert properties.provider == "CodeStarSourceConnection"
    assert [artifact.artifact_name for artifact in properties.outputs or ()] == ["Source"]
