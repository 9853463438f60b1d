"""Updates: replaced and removed in order, or rolled back to the exact earlier state."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.e2e.conftest import User, succeeded

ENDPOINT = "mistral-7b-base-change"
STACK = "mistral-7b-change-endpoint"
BASE = {"region": "us-east-1", "model": "base", "auto_scaling": None}


@pytest.fixture(scope="module")
def change(user: User) -> Iterator[User]:
    """A user with the environment `change` deployed."""
    with user.having("change", BASE):
        user.deploy("change")
        yield user


def state(user: User) -> dict[str, Any]:
    """What runs: the endpoint, its config and its model, without the times."""
    sagemaker = user.client("sagemaker")
    endpoint = sagemaker.describe_endpoint(EndpointName=ENDPOINT)
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = sagemaker.describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    template = user.client("cloudformation").get_template(StackName=STACK)["TemplateBody"]
    times = ("LastModifiedTime", "ResponseMetadata")
    kept = {k: v for k, v in endpoint.items() if k not in times}
    return {
        "endpoint": kept,
        "config": {k: v for k, v in config.items() if k not in times},
        "model": {k: v for k, v in model.items() if k not in times},
        "models": [m["ModelName"] for m in sagemaker.list_models(NameContains="change")["Models"]],
        "configs": [
            c["EndpointConfigName"] for c in sagemaker.list_endpoint_configs(NameContains="change")["EndpointConfigs"]
        ],
        "template": template,
    }


def events(user: User, since: int) -> list[tuple[str, str]]:
    """Logical type and status of the stack's events, oldest first, after the first `since`."""
    pages = user.client("cloudformation").get_paginator("describe_stack_events").paginate(StackName=STACK)
    found = [event for page in pages for event in page["StackEvents"]]
    return [(e["ResourceType"], e["ResourceStatus"]) for e in reversed(found)][since:]


def test_a_changed_setting_replaces_model_and_config_and_removes_the_old_ones_last(change: User) -> None:
    before, seen = state(change), len(events(change, 0))
    change.write("change", BASE | {"tgi": {"MAX_CONCURRENT_REQUESTS": 4}})
    change.deploy("change")
    after, happened = state(change), events(change, seen)
    assert after["model"]["PrimaryContainer"]["Environment"]["MAX_CONCURRENT_REQUESTS"] == "4"
    assert after["model"]["ModelName"] != before["model"]["ModelName"]
    assert after["endpoint"]["EndpointConfigName"] != before["endpoint"]["EndpointConfigName"]
    assert len(after["models"]) == len(after["configs"]) == 1
    updated = happened.index(("AWS::SageMaker::Endpoint", "UPDATE_COMPLETE"))
    removed = happened.index(("AWS::SageMaker::EndpointConfig", "DELETE_IN_PROGRESS"))
    assert updated < removed < happened.index(("AWS::SageMaker::Model", "DELETE_IN_PROGRESS"))


def test_an_update_whose_container_does_not_start_is_rolled_back_to_the_earlier_state(change: User) -> None:
    before, seen = state(change), len(events(change, 0))
    template = json.loads(json.dumps(before["template"]))
    model = next(r for r in template["Resources"].values() if r["Type"] == "AWS::SageMaker::Model")
    # more than the environment file would let through: an input length that is not below the total
    model["Properties"]["PrimaryContainer"]["Environment"]["MAX_INPUT_LENGTH"] = "8192"
    cloudformation = change.client("cloudformation")
    cloudformation.update_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "BootstrapVersion", "UsePreviousValue": True}],
    )
    with pytest.raises(WaiterError, match="UPDATE_ROLLBACK_COMPLETE"):
        cloudformation.get_waiter("stack_update_complete").wait(StackName=STACK, WaiterConfig={"Delay": 1})
    assert ("AWS::SageMaker::Endpoint", "UPDATE_FAILED") in events(change, seen)
    assert state(change) == before


def test_the_endpoint_answers_after_the_rollback(change: User) -> None:
    assert "embedded AWS" in succeeded(change.mistral7b("invoke", "change", "Once upon a time")).stdout
