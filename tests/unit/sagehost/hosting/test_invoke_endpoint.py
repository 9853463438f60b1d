"""InvokeEndpoint: answers of a deployed endpoint, and what SageMaker makes of the container's errors."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from mistral7b.tgi import TgiError, tokenizer

Ask = Callable[..., Any]


def test_an_answer_is_a_list_of_one_generation(endpoint: str, ask: Ask) -> None:
    (generation,) = ask(endpoint, "Hello")
    assert list(generation) == ["generated_text"]
    assert generation["generated_text"].startswith(" This is the embedded AWS")


def test_an_answer_has_20_tokens_unless_told_otherwise(endpoint: str, ask: Ask) -> None:
    details = ask(endpoint, "Hello", details=True)[0]["details"]
    assert details["generated_tokens"] == len(details["tokens"]) == 20
    assert details["finish_reason"] == "length"


def test_an_answer_ends_by_itself_when_there_is_room(endpoint: str, ask: Ask) -> None:
    (generation,) = ask(endpoint, "Hello", details=True, max_new_tokens=500)
    details = generation["details"]
    assert details["finish_reason"] == "eos_token"
    assert details["tokens"][-1] == {"id": 2, "text": "</s>", "logprob": 0.0, "special": True}
    assert generation["generated_text"] == "".join(token["text"] for token in details["tokens"][:-1])


def test_an_answer_says_how_many_tokens_the_prompt_has(endpoint: str, ask: Ask) -> None:
    prompt = "你好, how many tokens is this?"
    text = ask(endpoint, prompt, max_new_tokens=500)[0]["generated_text"]
    assert f"Your prompt of {tokenizer.count_tokens(prompt)} tokens" in text
    assert text.isascii()


def test_details_have_their_fields_in_the_containers_order(endpoint: str, ask: Ask) -> None:
    parameters: dict[str, Any] = {"details": True, "best_of": 2, "do_sample": True, "top_n_tokens": 1}
    details = ask(endpoint, "Hello", **parameters)[0]["details"]
    sequence = ["finish_reason", "generated_tokens", "seed", "prefill", "tokens"]
    assert list(details) == [*sequence, "best_of_sequences", "top_tokens"]
    (other,) = details["best_of_sequences"]
    assert list(other) == ["generated_text", *sequence, "top_tokens"]
    assert other["seed"] != details["seed"]
    assert details["top_tokens"] == [[token] for token in details["tokens"]]


def test_a_seed_is_shown_only_when_the_answer_is_sampled(endpoint: str, ask: Ask) -> None:
    assert ask(endpoint, "Hello", details=True, seed=7)[0]["details"]["seed"] is None
    assert ask(endpoint, "Hello", details=True, seed=7, do_sample=True)[0]["details"]["seed"] == 7
    assert ask(endpoint, "Hello", details=True, seed=7, temperature=0.5)[0]["details"]["seed"] == 7


def test_the_prompts_tokens_are_shown_when_asked_for(endpoint: str, ask: Ask) -> None:
    prefill = ask(endpoint, "Hello <s>", decoder_input_details=True)[0]["details"]["prefill"]
    assert prefill == [
        {"id": 1, "text": "<s>", "logprob": None},
        {"id": 22557, "text": "Hello", "logprob": 0.0},
        {"id": 28705, "text": "", "logprob": 0.0},
        {"id": 1, "text": "<s>", "logprob": 0.0},
    ]


def test_the_prompt_is_repeated_when_asked_for(endpoint: str, ask: Ask) -> None:
    assert ask(endpoint, "Hello", return_full_text=True)[0]["generated_text"].startswith("Hello This is")


def test_a_model_from_the_hub_repeats_the_prompt_by_itself(deploy: Callable[..., str], ask: Ask) -> None:
    name = deploy({"HF_MODEL_ID": "mistralai/Mistral-7B-Instruct-v0.1"})
    assert ask(name, "Hello")[0]["generated_text"].startswith("Hello This is")
    assert ask(name, "Hello", return_full_text=False)[0]["generated_text"].startswith(" This is")


def test_an_answer_stops_after_a_stop_sequence(endpoint: str, ask: Ask) -> None:
    (generation,) = ask(endpoint, "Hello", details=True, max_new_tokens=100, stop=["never", "embedded"])
    assert generation["generated_text"] == " This is the embedded"
    assert generation["details"]["finish_reason"] == "stop_sequence"


def test_a_container_that_collects_a_stream_hands_on_all_of_it(endpoint: str, runtime: Any) -> None:
    body = json.dumps({"inputs": "Hello", "stream": True, "parameters": {"max_new_tokens": 3}})
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body=body)
    assert answer["ContentType"] == "text/event-stream"
    assert answer["Body"].read().count(b"data:") == 3


def test_an_answer_names_its_variant_and_type_and_no_header_of_the_container(endpoint: str, runtime: Any) -> None:
    answer = runtime.invoke_endpoint(EndpointName=endpoint, ContentType="application/json", Body='{"inputs":"Hello"}')
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    assert answer["ContentType"] == "application/json"
    assert not [name for name in answer["ResponseMetadata"]["HTTPHeaders"] if name.startswith("x-compute")]


def _refusal(runtime: Any, name: str, body: str | bytes, **parameters: Any) -> dict[str, Any]:
    with pytest.raises(ClientError) as error:
        runtime.invoke_endpoint(**{"EndpointName": name, "ContentType": "application/json", "Body": body} | parameters)
    response: dict[str, Any] = error.value.response
    return response


def test_an_error_of_the_container_is_a_model_error_with_its_status_and_body(endpoint: str, runtime: Any) -> None:
    response = _refusal(runtime, endpoint, '{"inputs":""}')
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 422
    original = '{"error":"Input validation error: `inputs` cannot be empty","error_type":"validation"}'
    assert response["OriginalMessage"] == original
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    assert response["LogStreamArn"] == f"arn:aws:logs:us-east-1:111122223333:log-group:{group}"
    assert response["Error"]["Message"] == (
        f'Received client error (422) from primary with message "{original}". '
        "See https://us-east-1.console.aws.amazon.com/cloudwatch/home?region=us-east-1"
        f"#logEventViewer:group={group} in account 111122223333 for more information."
    )


def test_a_prompt_over_the_deployed_limit_is_refused(deploy: Callable[..., str], runtime: Any) -> None:
    name = deploy({"MAX_INPUT_LENGTH": "10", "MAX_TOTAL_TOKENS": "40"})
    response = _refusal(runtime, name, json.dumps({"inputs": "word " * 15}))
    error = TgiError.from_body(response["OriginalStatusCode"], response["OriginalMessage"])
    assert (error.status, error.error_type) == (422, "validation")
    assert error.message == "Input validation error: `inputs` must have less than 10 tokens. Given: 17"


def test_a_prompt_of_jumpstarts_longest_length_is_answered_and_one_token_more_refused(
    endpoint: str, ask: Ask, runtime: Any
) -> None:
    longest = "word " * 8189
    assert tokenizer.count_tokens(longest) == 8191
    assert ask(endpoint, longest, max_new_tokens=1)[0]["generated_text"] == " This"
    response = _refusal(runtime, endpoint, json.dumps({"inputs": "word " * 8190, "parameters": {"max_new_tokens": 1}}))
    assert "must be <= 8192. Given: 8192 `inputs` tokens and 1 `max_new_tokens`" in response["OriginalMessage"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "message"),
    [
        (
            "Hello",
            "application/json",
            400,
            "Failed to parse the request body as JSON: expected value at line 1 column 1",
        ),
        ('{"inputs":"Hello"}', "text/plain", 415, "Expected request with `Content-Type: application/json`"),
        (
            "{}",
            "application/json",
            422,
            "Failed to deserialize the JSON body into the target type: missing field `inputs` at line 1 column 2",
        ),
    ],
)
def test_what_the_container_cannot_read_is_a_model_error_in_plain_text(
    *, endpoint: str, runtime: Any, body: str, content_type: str, status: int, message: str
) -> None:
    response = _refusal(runtime, endpoint, body, ContentType=content_type)
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, message)


def test_a_body_over_the_containers_limit_is_a_model_error(endpoint: str, runtime: Any) -> None:
    response = _refusal(runtime, endpoint, json.dumps({"inputs": "x" * 2**21}))
    assert response["OriginalStatusCode"] == 413


def test_a_body_over_sagemakers_limit_is_refused(endpoint: str, runtime: Any) -> None:
    response = _refusal(runtime, endpoint, b"x" * (6 * 2**20 + 1))
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert response["Error"]["Code"] == "RequestEntityTooLargeException"


def test_an_endpoint_that_is_not_there_is_a_validation_error(runtime: Any) -> None:
    response = _refusal(runtime, "nowhere", '{"inputs":"Hello"}')
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint nowhere of account 111122223333 not found.",
    }


@pytest.mark.parametrize(("account", "region"), [("444455556666", "us-east-1"), ("111122223333", "eu-west-1")])
def test_an_endpoint_is_found_in_its_own_account_and_region_alone(
    endpoint: str, client: Callable[..., Any], account: str, region: str
) -> None:
    response = _refusal(client("sagemaker-runtime", account, region), endpoint, '{"inputs":"Hello"}')
    assert response["Error"]["Message"] == f"Endpoint {endpoint} of account {account} not found."


def test_a_request_without_a_signature_is_refused(endpoint: str, client: Callable[..., Any]) -> None:
    unsigned = client("sagemaker-runtime", config=Config(signature_version=UNSIGNED))
    response = _refusal(unsigned, endpoint, '{"inputs":"Hello"}')
    assert response["Error"]["Code"] == "MissingAuthenticationTokenException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"TargetVariant": "Blue"}, "Variant Blue not found"),
        ({"TargetModel": "model.tar.gz"}, "is not a multi-model endpoint"),
        ({"InferenceComponentName": "part"}, "has no inference components"),
    ],
)
def test_a_target_that_the_endpoint_does_not_have_is_a_validation_error(
    endpoint: str, runtime: Any, header: dict[str, str], message: str
) -> None:
    response = _refusal(runtime, endpoint, '{"inputs":"Hello"}', **header)
    assert response["Error"]["Code"] == "ValidationError"
    assert message in response["Error"]["Message"]


def _headers_endpoint(deploy: Callable[..., str], make_model: Callable[..., str], status: str) -> str:
    """An endpoint whose container answers with the headers that it gets."""
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/test/headers:1"
    container = {"Image": image, "Environment": {"STATUS": status}}
    return deploy(ModelName=make_model(PrimaryContainer=container))


def test_a_container_gets_content_type_accept_and_custom_attributes_and_answers_with_its_own(
    deploy: Callable[..., str], make_model: Callable[..., str], runtime: Any
) -> None:
    asked = {"ContentType": "text/csv", "Accept": "text/plain", "CustomAttributes": "of the caller"}
    name = _headers_endpoint(deploy, make_model, "201")
    answer = runtime.invoke_endpoint(EndpointName=name, Body=b"", InferenceId="mine", **asked)
    assert json.loads(answer["Body"].read()) == {
        "content-type": "text/csv",
        "accept": "text/plain",
        "x-amzn-sagemaker-custom-attributes": "of the caller",
    }
    assert answer["CustomAttributes"] == "of the container"
    assert "x-other" not in answer["ResponseMetadata"]["HTTPHeaders"]


def test_a_status_of_500_is_a_server_error_of_the_model(
    deploy: Callable[..., str], make_model: Callable[..., str], runtime: Any
) -> None:
    response = _refusal(runtime, _headers_endpoint(deploy, make_model, "500"), b"")
    assert response["Error"]["Code"] == "ModelError"
    assert response["Error"]["Message"].startswith("Received server error (500) from primary")
