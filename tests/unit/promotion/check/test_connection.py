"""The connection is there and its handshake done, or the finding says where to do it."""

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from mistral7b.operate.checks import Check, Finding
from mistral7b.operate.place import Place
from mistral7b.promotion.check.connection import READS, check_connection
from mistral7b.promotion.schema import PipelineSettings
from sagehost import moto_app
from sagehost.pipelines.store import AVAILABLE
from sagehost.pipelines.store import RESOURCES as STORED
from tests.unit.promotion.check.conftest import REGION, EmbeddedCloud, bootstrap, found

KIND = "AWS::CodeConnections::Connection"
ID = "connection/12345678-1234-1234-1234-123456789012"


@pytest.fixture
def tools(cloud: EmbeddedCloud) -> EmbeddedCloud:
    """The pipeline's account, bootstrapped."""
    bootstrap(cloud.account)
    return cloud


def check(cloud: EmbeddedCloud, arn: str | None = None, provider: str = "github") -> Finding:
    """The finding for such a source."""
    source: dict[str, Any] = {"provider": provider, "repository": "owner/name", "connection_arn": arn}
    settings = PipelineSettings.model_validate(
        {"account": cloud.account, "region": REGION, "source": source, "environments": [{"name": "dev"}]}
    )
    place = Place(cloud.account, REGION, ("pipeline",), cloud.account)
    return found(cloud, Check("connection", READS, "", partial(check_connection, settings)), place)


def made(cloud: EmbeddedCloud, service: str = "codeconnections") -> str:
    """ARN of a connection that someone has made."""
    arn = f"arn:aws:{service}:{REGION}:{cloud.account}:{ID}"
    STORED[cloud.account, REGION, KIND][arn] = {"ConnectionName": "shared", "ProviderType": "GitHub"}
    return arn


def deploy(cloud: EmbeddedCloud, kind: str = KIND) -> str:
    """Makes a stack as the pipeline's is, with nothing but its connection; the ARN of that."""
    properties = {"ConnectionName": "mistral-7b", "ProviderType": "GitHub"}
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Connection": {"Type": kind, "Properties": properties},
    }
    client = moto_app.client("cloudformation", cloud.account, REGION)
    client.create_stack(StackName="mistral-7b-pipeline", TemplateBody=json.dumps({"Resources": resources}))
    found = client.describe_stack_resource(StackName="mistral-7b-pipeline", LogicalResourceId="Connection")
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


@pytest.fixture(autouse=True)
def _no_handshakes() -> Iterator[None]:
    yield
    AVAILABLE.clear()


def shake_hands(arn: str) -> None:
    """What the console does on AWS."""
    AVAILABLE.add(arn)


def test_before_the_pipeline_is_deployed_the_connection_comes_with_it(tools: EmbeddedCloud) -> None:
    found = check(tools)
    assert (found.outcome, found.fix) == ("not checked", "")
    assert found.found == "made by the first `cdk deploy pipeline`; then its handshake is due, in the console"


def test_the_connection_of_the_pipelines_stack_is_found(tools: EmbeddedCloud) -> None:
    arn = deploy(tools)
    shake_hands(arn)
    found = check(tools)
    assert (found.outcome, found.found) == ("ok", f"AVAILABLE: {arn}")


def test_a_pending_connection_says_where_its_handshake_is(tools: EmbeddedCloud) -> None:
    arn = deploy(tools)
    found = check(tools)
    assert (found.outcome, found.found) == ("failure", f"{arn} is PENDING: its handshake is due")
    assert found.fix == (
        f"open https://{REGION}.console.aws.amazon.com/codesuite/settings/connections?region={REGION} in account "
        f"{tools.account}, choose mistral-7b, Update pending connection"
    )


@pytest.mark.parametrize("service", ["codeconnections", "codestar-connections"])
def test_a_connection_that_the_file_names_is_looked_at(service: str, tools: EmbeddedCloud) -> None:
    arn = made(tools, service)
    assert check(tools, arn).outcome == "failure"
    shake_hands(arn)
    assert check(tools, arn).outcome == "ok"


def test_a_connection_that_does_not_exist_fails(tools: EmbeddedCloud) -> None:
    found = check(tools, f"arn:aws:codeconnections:{REGION}:{tools.account}:{ID}")
    assert found.found.endswith(f"{ID} does not exist")
    assert "set source.connection_arn" in found.fix


def test_a_connection_that_was_deleted_behind_the_stacks_back_fails(tools: EmbeddedCloud) -> None:
    arn = deploy(tools)
    del STORED[tools.account, REGION, KIND][arn]
    assert check(tools).found == f"{arn}, which the pipeline's stack has made, is gone"


def test_a_connection_to_another_host_fails(tools: EmbeddedCloud) -> None:
    arn = made(tools)
    shake_hands(arn)
    found = check(tools, arn, provider="gitlab")
    assert (found.outcome, found.found) == ("failure", f"{arn} leads to GitHub, and source.provider is gitlab")


def test_a_connection_in_error_fails(tools: EmbeddedCloud) -> None:
    arn = f"arn:aws:codeconnections:{REGION}:{tools.account}:{ID}"
    connection = {"ConnectionArn": arn, "ConnectionStatus": "ERROR", "ProviderType": "GitHub"}
    tools.stub("codeconnections").add_response("get_connection", {"Connection": connection}, {"ConnectionArn": arn})
    found = check(tools, arn)
    assert (found.outcome, found.found) == ("failure", f"{arn} is ERROR")


def test_what_aws_does_not_answer_is_not_checked(tools: EmbeddedCloud) -> None:
    tools.stub("codeconnections").add_client_error("get_connection", "InternalServerException", "Try later.")
    found = check(tools, f"arn:aws:codeconnections:{REGION}:{tools.account}:{ID}")
    assert found.outcome == "not checked"
    assert "Try later." in found.found


def test_before_the_account_is_bootstrapped_nothing_is_known(cloud: EmbeddedCloud) -> None:
    found = check(cloud)
    assert (found.outcome, found.found) == ("not checked", "its account has to be bootstrapped first")


def test_connections_are_not_missed_behind_a_page_of_resources(tools: EmbeddedCloud) -> None:
    def summary(kind: str, physical: str) -> dict[str, Any]:
        return {
            "LogicalResourceId": "X",
            "PhysicalResourceId": physical,
            "ResourceType": kind,
            "ResourceStatus": "CREATE_COMPLETE",
            "LastUpdatedTimestamp": "2024-01-01T00:00:00Z",
        }

    arn = made(tools)
    shake_hands(arn)
    stubber = tools.stub("cloudformation")
    stubber.add_response(
        "list_stack_resources",
        {"StackResourceSummaries": [summary("AWS::SNS::Topic", "topic")], "NextToken": "next"},
        {"StackName": "mistral-7b-pipeline"},
    )
    stubber.add_response(
        "list_stack_resources",
        {"StackResourceSummaries": [summary("AWS::CodeConnections::Connection", arn)]},
        {"StackName": "mistral-7b-pipeline", "NextToken": "next"},
    )
    assert check(tools).outcome == "ok"
