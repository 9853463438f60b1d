"""Each way in which the service or the machine refuses has an error of its own, with the facts in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from botocore.parsers import ResponseParserError

from mistral7b.endpoint.client import NO_RETRIES, EndpointClient
from mistral7b.endpoint.errors import (
    AccessDeniedError,
    BrokenAnswerError,
    ConfigurationError,
    ContainerError,
    EndpointError,
    EndpointNotFoundError,
    EndpointNotReadyError,
    ExpiredCredentialsError,
    InvalidCredentialsError,
    MissingCredentialsError,
    OverloadedError,
    PromptTooLongError,
    RequestRefusedError,
    ThrottledError,
    TimedOutError,
    UnreachableError,
    translated,
)
from sagehost.hosting import eventstream

if TYPE_CHECKING:
    from tests.unit.client.conftest import Service


@pytest.mark.parametrize(
    ("status", "code", "message", "kind"),
    [
        (400, "ValidationError", "Endpoint mistral of account 123456789012 not found.", EndpointNotFoundError),
        (400, "ValidationError", "Variant B not found for Endpoint mistral of account 1.", EndpointError),
        (400, "ThrottlingException", "Rate exceeded", ThrottledError),
        (429, "ModelNotReadyException", "Wait", EndpointNotReadyError),
        (503, "ServiceUnavailable", "Try again", EndpointNotReadyError),
        (
            403,
            "ExpiredTokenException",
            "The security token included in the request is expired",
            ExpiredCredentialsError,
        ),
        (403, "UnrecognizedClientException", "The security token is invalid.", InvalidCredentialsError),
        (403, "InvalidSignatureException", "Signature does not match", InvalidCredentialsError),
        (403, "AccessDeniedException", "User is not authorized", AccessDeniedError),
        (500, "InternalFailure", "Internal failure", EndpointError),
    ],
)
def test_a_service_error_keeps_its_code_status_and_message(
    *, service: Service, client: EndpointClient, status: int, code: str, message: str, kind: type[EndpointError]
) -> None:
    service.fail(status, code, message)
    with pytest.raises(EndpointError) as caught:
        client.invoke(b"{}")
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.status, caught.value.error_type) == (message, status, code)


@pytest.mark.parametrize(
    ("status", "error_type", "text", "kind"),
    [
        (429, "overloaded", "Model is overloaded", OverloadedError),
        (
            422,
            "validation",
            "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8192. "
            "Given: 8000 `inputs` tokens and 300 `max_new_tokens`",
            PromptTooLongError,
        ),
        (422, "validation", "Input validation error: `temperature` must be strictly positive", RequestRefusedError),
        (424, "generation", "Request failed during generation: CUDA out of memory", ContainerError),
        (500, "incomplete_generation", "Incomplete generation", ContainerError),
    ],
)
def test_a_container_error_keeps_its_status_type_and_text(
    *, service: Service, client: EndpointClient, status: int, error_type: str, text: str, kind: type[EndpointError]
) -> None:
    original = json.dumps({"error": text, "error_type": error_type})
    message = f'Received client error ({status}) from primary with message "{original}".'
    service.fail(424, "ModelError", message, OriginalMessage=original, OriginalStatusCode=status)
    with pytest.raises(ContainerError) as caught:
        client.invoke(b"{}")
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.status, caught.value.error_type) == (text, status, error_type)


def test_a_container_that_answers_in_plain_text_is_quoted(service: Service, client: EndpointClient) -> None:
    text = "Failed to parse the request body as JSON"
    service.fail(
        424, "ModelError", f"Received client error (400): {text}", OriginalMessage=text, OriginalStatusCode=400
    )
    with pytest.raises(RequestRefusedError) as caught:
        client.invoke(b"{")
    assert (caught.value.message, caught.value.status, caught.value.error_type) == (text, 400, None)


def test_a_time_out_of_the_service_is_a_time_out(service: Service, client: EndpointClient) -> None:
    original = "Your invocation timed out while waiting for a response from container primary."
    message = f'Received server error (0) from primary with message "{original}".'
    service.fail(424, "ModelError", message, OriginalMessage=original, OriginalStatusCode=0)
    with pytest.raises(TimedOutError, match="waiting for a response from container primary"):
        client.invoke(b"{}")


@pytest.mark.parametrize(
    ("exception", "message", "kind"),
    [
        (
            "ModelStreamError",
            "The model failed to finish within the timeout period allowed by SageMaker",
            TimedOutError,
        ),
        ("ModelStreamError", "The connection between the client and the model was reset", BrokenAnswerError),
        ("InternalStreamFailure", "The stream processing failed", BrokenAnswerError),
    ],
)
def test_exceptions_in_a_stream_have_different_errors(
    service: Service, client: EndpointClient, exception: str, message: str, kind: type[EndpointError]
) -> None:
    service.stream([eventstream.exception(exception, json.dumps({"Message": message}).encode())])
    with pytest.raises(EndpointError) as caught:
        list(client.invoke_stream(b"{}"))
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.error_type) == (message, exception)


def test_a_connection_that_closes_without_an_answer_is_a_broken_answer(
    service: Service, client: EndpointClient
) -> None:
    service.hang_up()
    with pytest.raises(BrokenAnswerError, match="Connection was closed"):
        client.invoke(b"{}")


def test_a_service_that_is_not_there_is_unreachable(monkeypatch: pytest.MonkeyPatch, unused_port: int) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{unused_port}")
    with EndpointClient("mistral", "us-east-1", retry=NO_RETRIES) as client, pytest.raises(UnreachableError):
        client.invoke(b"{}")


def test_missing_credentials_are_reported(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with EndpointClient("mistral", "us-east-1") as client, pytest.raises(MissingCredentialsError):
        client.invoke(b"{}")
    assert service.paths == []


def test_partial_credentials_are_missing_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(MissingCredentialsError, match="AWS_SECRET_ACCESS_KEY"), EndpointClient("mistral", "us-east-1"):
        pass


def test_an_expired_sso_session_is_reported(service: Service, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        "[sso-session work]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n"
        "[default]\nsso_session = work\nsso_account_id = 111122223333\nsso_role_name = developer\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with EndpointClient("mistral", "us-east-1") as client, pytest.raises(ExpiredCredentialsError):
        client.invoke(b"{}")


@pytest.mark.parametrize(
    ("variable", "value"), [("AWS_PROFILE", "nobody"), ("AWS_ENDPOINT_URL", "localhost:4566"), ("AWS_CONFIG_FILE", "?")]
)
def test_settings_that_boto3_cannot_use_are_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, variable: str, value: str
) -> None:
    broken = tmp_path / "config"
    broken.write_text("no section\n")
    monkeypatch.setenv(variable, value.replace("?", str(broken)))
    with pytest.raises(ConfigurationError), EndpointClient("mistral", "us-east-1"):
        pass


def test_an_answer_that_is_none_of_the_services_is_a_broken_answer() -> None:
    with pytest.raises(BrokenAnswerError, match="Unable to parse response"), translated():
        raise ResponseParserError("Unable to parse response (no element found)")
