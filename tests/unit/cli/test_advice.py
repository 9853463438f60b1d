"""Every way in which an endpoint does not answer is told in one line, with what to do about it."""

from pathlib import Path

import pytest

from mistral7b import endpoint
from mistral7b.cli import advice
from mistral7b.cli.advice import explain
from mistral7b.endpoint import EndpointError, EndpointStatus
from mistral7b.environment import Environment, load_environment


@pytest.fixture
def env(folder: Path) -> Environment:
    return load_environment(folder, "busy")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (endpoint.OverloadedError("Model is overloaded"), "MAX_CONCURRENT_REQUESTS (7)"),
        (endpoint.TimedOutError("Read timeout"), "--stream"),
        (endpoint.EndpointNotReadyError("Wait."), "Try again later"),
        (endpoint.ThrottledError("Rate exceeded"), "throttles"),
        (endpoint.MissingCredentialsError("Unable to locate credentials"), "`aws configure`"),
        (endpoint.ExpiredCredentialsError("Token has expired"), "`aws sso login`"),
        (endpoint.InvalidCredentialsError("Signature"), "`aws sts get-caller-identity`"),
        (endpoint.AccessDeniedError("User is not authorized"), "sagemaker:InvokeEndpoint"),
        (endpoint.ConfigurationError("Invalid endpoint"), "AWS_ENDPOINT_URL"),
        (endpoint.PromptTooLongError("Given: 9000", status=422), "refused the request (422): Given: 9000"),
        (endpoint.ContainerError("Incomplete generation", status=500), "refused the request (500)"),
        (endpoint.BrokenAnswerError("the stream broke off"), "Ask again"),
        (EndpointError("Internal failure"), "did not answer: Internal failure"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, EndpointError) else "",
)
def test_each_error_has_its_remedy(env: Environment, error: EndpointError, told: str) -> None:
    assert told in explain(error, env)


def test_a_message_of_several_lines_is_told_in_one(env: Environment) -> None:
    assert explain(EndpointError("first {line}\n\n  second %s\tline.\n"), env).endswith("first {line} second %s line.")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (EndpointStatus("Creating", None), "its status is Creating. Wait until it is InService"),
        (
            EndpointStatus("Failed", "did not pass the ping health check."),
            "failed: did not pass the ping health check. ",
        ),
        (None, "`cdk deploy 'busy/*'` deploys it"),
    ],
)
def test_an_endpoint_that_is_not_found_is_told_by_its_status(
    env: Environment, monkeypatch: pytest.MonkeyPatch, status: EndpointStatus | None, told: str
) -> None:
    monkeypatch.setattr(advice, "endpoint_status", lambda name, region: status)
    assert told in explain(endpoint.EndpointNotFoundError("Endpoint x of account 1 not found."), env)


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("AWS_ENDPOINT_URL", "`mistral7b local up`"),
        ("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "`mistral7b local up`"),
        ("UNRELATED", "whether us-east-1 is the right region"),
    ],
)
def test_the_embedded_aws_is_named_only_where_an_endpoint_url_is_set(
    env: Environment, monkeypatch: pytest.MonkeyPatch, variable: str, told: str
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv(variable, "http://localhost:1")
    assert told in explain(endpoint.UnreachableError("Could not connect"), env)
