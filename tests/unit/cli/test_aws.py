"""Every way in which an endpoint does not answer is told in one message, with what to do about it."""

import os
from pathlib import Path

import pytest

from mistral7b.endpoint import errors as endpoint
from mistral7b.endpoint.errors import EndpointError
from mistral7b.environment import Environment, load_environment
from mistral7b.errors import UserError
from mistral7b_cli.aws import explain, explained


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)


@pytest.fixture
def env(folder: Path) -> Environment:
    return load_environment(folder, "busy")


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (endpoint.OverloadedError("Model is overloaded"), "MAX_CONCURRENT_REQUESTS (7)"),
        (endpoint.TimedOutError("Read timeout"), "--stream"),
        (endpoint.EndpointNotReadyError("Wait."), "fix: try again later"),
        (endpoint.ThrottledError("Rate exceeded"), "throttles"),
        (endpoint.MissingCredentialsError("Unable to locate credentials"), "aws configure"),
        (endpoint.ExpiredCredentialsError("Token has expired"), "aws sso login"),
        (endpoint.InvalidCredentialsError("Signature"), "aws sts get-caller-identity"),
        (endpoint.AccessDeniedError("User is not authorized"), "sagemaker:InvokeEndpoint"),
        (endpoint.ConfigurationError("Invalid endpoint"), "AWS_ENDPOINT_URL"),
        (endpoint.PromptTooLongError("Given: 9000", status=422), "refused the request (422): Given: 9000"),
        (endpoint.ContainerError("Incomplete generation", status=500), "refused the request (500)"),
        (endpoint.BrokenAnswerError("the stream broke off"), "fix: ask again"),
        (EndpointError("Internal failure"), "did not answer: Internal failure"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, EndpointError) else "",
)
def test_each_error_has_its_remedy(env: Environment, error: EndpointError, told: str) -> None:
    assert told in explain(error, env)


def test_message_of_several_lines_is_printed_on_one(env: Environment) -> None:
    assert explain(EndpointError("first {line}\n\n  second %s\tline.\n"), env).endswith("first {line} second %s line")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        (("Creating", ""), "its status is Creating\nfix: wait until it is InService"),
        (
            ("Failed", "did not pass the ping health check."),
            "failed: did not pass the ping health check\nfix: ",
        ),
        ((None, ""), "busy is not deployed in us-east-1\nfix: cdk deploy 'busy/*'"),
    ],
)
def test_missing_endpoint_is_described_by_its_status(
    env: Environment, monkeypatch: pytest.MonkeyPatch, status: tuple[str | None, str], told: str
) -> None:
    monkeypatch.setattr("mistral7b_cli.aws.endpoint_status", lambda client, name: status)
    monkeypatch.setattr("mistral7b_cli.aws.asleep", lambda client, env: False)
    assert told in explain(endpoint.EndpointNotFoundError("Endpoint x of account 1 not found."), env)


def test_a_stopped_endpoint_is_told_with_the_command_that_starts_it(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mistral7b_cli.aws.endpoint_status", lambda client, name: (None, ""))
    monkeypatch.setattr("mistral7b_cli.aws.asleep", lambda client, env: True)
    told = explain(endpoint.EndpointNotFoundError("Endpoint x of account 1 not found."), env)
    assert told.endswith(" is stopped\nfix: mistral7b start busy")


@pytest.mark.parametrize("variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_stopped_embedded_aws_is_named_with_the_command_that_starts_it(
    env: Environment, monkeypatch: pytest.MonkeyPatch, variable: str, host: str
) -> None:
    monkeypatch.setenv(variable, f"http://{host}:1")
    told = explain(endpoint.UnreachableError("Could not connect"), env)
    assert told.startswith(f"no answer from AWS_ENDPOINT_URL http://{host}:1")
    assert 'eval "$(mistral7b local up)"' in told


def test_another_endpoint_url_that_does_not_answer_is_named(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://proxy.example:1")
    told = explain(endpoint.UnreachableError("Could not connect"), env)
    assert told.startswith("no answer from AWS_ENDPOINT_URL https://proxy.example:1\n")


def test_unreachable_aws_is_named_with_the_region(env: Environment) -> None:
    assert "whether us-east-1 is the right region" in explain(endpoint.UnreachableError("Could not connect"), env)


@pytest.mark.parametrize(
    "error", [endpoint.UnreachableError("Failed to connect"), EndpointError("Service Unavailable")]
)
def test_a_proxy_on_the_way_to_localhost_is_the_cause(
    env: Environment, monkeypatch: pytest.MonkeyPatch, error: EndpointError
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    told = explain(error, env)
    assert "HTTP_PROXY sends it to a proxy" in told
    assert "add localhost to NO_PROXY" in told


def test_a_proxy_that_no_proxy_keeps_from_localhost_is_not_the_cause(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "::1,127.0.0.1,localhost")
    assert "proxy" not in explain(endpoint.UnreachableError("Could not connect"), env)


def test_profile_hidden_by_the_embedded_aws_is_named_with_the_fix(
    env: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    told = explain(endpoint.ConfigurationError("The config profile (dev) could not be found"), env)
    assert "AWS_CONFIG_FILE is /dev/null" in told
    assert 'eval "$(mistral7b local down)", or a new shell' in told


def test_another_configuration_file_is_named(env: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "/etc/aws/config")
    told = explain(endpoint.ConfigurationError("The config profile (dev) could not be found"), env)
    assert "AWS_CONFIG_FILE (/etc/aws/config)" in told


def test_other_errors_are_worded_by_the_command() -> None:
    with pytest.raises(UserError) as caught, explained("us-east-1", what="it could not be set", fix="use a role"):
        raise endpoint.ThrottledError("Rate exceeded")
    assert (str(caught.value), caught.value.status) == ("it could not be set: Rate exceeded\nfix: use a role", 1)
