"""What a user finds after the first `cdk deploy 'dev/*'`."""

import json
import re
from dataclasses import replace

import pytest
from botocore.exceptions import ClientError

from tests.e2e.conftest import User, succeeded
from tests.variants import FOLDERS

ENDPOINT = "mistral-7b-instruct-dev"


def test_cdk_list_shows_the_stacks_of_every_environment(user: User) -> None:
    everything = replace(user, files=FOLDERS["typical"])
    listed = succeeded(everything.cdk("list")).stdout.split()
    assert [name for name in listed if "/" in name] == ["dev/endpoint", "staging/endpoint", "prod/endpoint"]


def test_the_endpoint_is_in_service_with_jumpstarts_environment(dev: User) -> None:
    sagemaker = dev.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert endpoint["EndpointStatus"] == "InService"
    assert variant["InstanceType"] == "ml.g5.2xlarge"
    assert model["PrimaryContainer"]["Environment"]["MAX_TOTAL_TOKENS"] == "8192"
    assert model["EnableNetworkIsolation"] is True


def test_the_parameter_tells_consumers_the_endpoints_name(dev: User) -> None:
    parameter = dev.client("ssm").get_parameter(Name="/mistral7b/dev/endpoint-name")
    assert parameter["Parameter"]["Value"] == ENDPOINT


def test_the_outputs_tell_the_endpoints_name(dev: User) -> None:
    stack = dev.client("cloudformation").describe_stacks(StackName="mistral-7b-dev-endpoint")["Stacks"][0]
    outputs = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    assert outputs["EndpointName"] == ENDPOINT


def test_every_resource_carries_the_environments_tags(dev: User) -> None:
    sagemaker = dev.client("sagemaker")
    arn = sagemaker.describe_endpoint(EndpointName=ENDPOINT)["EndpointArn"]
    tags = {tag["Key"]: tag["Value"] for tag in sagemaker.list_tags(ResourceArn=arn)["Tags"]}
    assert tags["project"] == "mistral-7b"


def test_a_second_deployment_changes_nothing(dev: User) -> None:
    result = dev.deploy("dev")
    assert (result.stdout + result.stderr).count("(no changes)") == 1


def test_a_diff_after_the_deployment_is_empty(dev: User) -> None:
    result = succeeded(dev.cdk_of("dev", "diff", "--fail"))
    assert "Number of stacks with differences: 0" in result.stdout + result.stderr


def test_a_diff_before_an_update_names_the_setting(dev: User) -> None:
    before = (dev.files / "dev.yaml").read_text(encoding="utf-8")
    (dev.files / "dev.yaml").write_text(before + "tgi: {MAX_CONCURRENT_REQUESTS: 4}\n", encoding="utf-8")
    result = dev.cdk_of("dev", "diff", "--fail")
    (dev.files / "dev.yaml").write_text(before, encoding="utf-8")
    assert result.returncode == 1
    assert "MAX_CONCURRENT_REQUESTS" in result.stdout + result.stderr


def test_boto3_gets_an_answer(dev: User) -> None:
    body = json.dumps({"inputs": "[INST] Hello! [/INST]", "parameters": {"max_new_tokens": 5, "details": True}})
    answer = dev.client("sagemaker-runtime").invoke_endpoint(
        EndpointName=ENDPOINT, ContentType="application/json", Body=body
    )
    details = json.loads(answer["Body"].read())[0]["details"]
    assert (details["generated_tokens"], details["finish_reason"]) == (5, "length")


def test_boto3_gets_a_stream_of_tokens(dev: User) -> None:
    body = json.dumps({"inputs": "Hello", "parameters": {"max_new_tokens": 5}, "stream": True})
    answer = dev.client("sagemaker-runtime").invoke_endpoint_with_response_stream(
        EndpointName=ENDPOINT, ContentType="application/json", Body=body
    )
    text = b"".join(event["PayloadPart"]["Bytes"] for event in answer["Body"]).decode()
    events = [json.loads(line.removeprefix("data:")) for line in text.splitlines() if line]
    assert [event["generated_text"] is not None for event in events] == [False] * 4 + [True]


def test_a_prompt_over_the_deployed_limit_is_refused_by_the_container(dev: User) -> None:
    body = json.dumps({"inputs": "word " * 9000, "parameters": {"max_new_tokens": 1}})
    with pytest.raises(ClientError) as caught:
        dev.client("sagemaker-runtime").invoke_endpoint(
            EndpointName=ENDPOINT, ContentType="application/json", Body=body
        )
    assert caught.value.response["OriginalStatusCode"] == 422
    assert "`inputs` tokens + `max_new_tokens` must be <= 8192" in caught.value.response["OriginalMessage"]


def test_invoke_prints_the_answer_and_its_counts_as_json(dev: User) -> None:
    result = succeeded(dev.mistral7b("invoke", "dev", "Hello!", "--json", "--parameter", "max_new_tokens=7"))
    answer = json.loads(result.stdout)
    assert (answer["generated_tokens"], answer["finish_reason"]) == (7, "length")
    assert answer["generated_text"]


def test_invoke_takes_the_prompt_from_standard_input(dev: User) -> None:
    result = succeeded(dev.mistral7b("invoke", "dev", "-", given="Hello!"))
    assert "embedded AWS" in result.stdout


def test_invoke_refuses_a_prompt_that_is_too_long_before_it_is_sent(dev: User) -> None:
    result = dev.mistral7b("invoke", "dev", "-", given="word " * 9000)
    assert result.returncode == 2
    assert re.search(r"the prompt is too long: 90\d\d tokens, \d+ more than the 8191", result.stderr)


def test_examples_asks_every_published_prompt(dev: User) -> None:
    answers = json.loads(succeeded(dev.mistral7b("examples", "dev", "--language", "zh", "--json")).stdout)
    assert [a["name"] for a in answers] == ["hello", "knowledge", "long_document_qa", "math", "coding"]
    assert all(a["generated_text"] and a["error"] is None for a in answers)


def test_chat_answers_every_turn_of_a_script(dev: User) -> None:
    result = succeeded(dev.mistral7b("chat", "dev", given="Hello!\nAnd again.\n"))
    assert result.stdout.count("embedded AWS") == 2
