"""Who hears of what, and how it reads."""

import json
from typing import Any

import pytest

from tests.unit.stacks.pipeline.reading import of_type, resource
from tests.variants import FOLDERS

EVENT: dict[str, Any] = {
    "source": "aws.codepipeline",
    "time": "2025-11-22T22:00:00Z",
    "detail": {"pipeline": "mistral-7b-pipeline", "execution-id": "e-1", "stage": "prod", "action": "Promote"},
}
EXECUTION, ACTION = "CodePipeline Pipeline Execution State Change", "CodePipeline Action Execution State Change"


@pytest.fixture(params=FOLDERS)
def template(request: pytest.FixtureRequest, templates: dict[str, Any]) -> Any:
    return templates[f"{request.param}/pipeline"]


def event(detail_type: str, state: str, **detail: Any) -> dict[str, Any]:
    return EVENT | {"detail-type": detail_type, "detail": EVENT["detail"] | {"state": state} | detail}


def matches(pattern: Any, value: Any) -> bool:
    """Whether EventBridge would take the event: every field of the pattern holds one of its values."""
    if isinstance(pattern, dict):
        return all(key in value and matches(one, value[key]) for key, one in pattern.items())
    return value in pattern


def messages(template: Any, given: dict[str, Any]) -> list[str]:
    """What the topic is told of an event."""
    told = []
    for rule in of_type(template, "AWS::Events::Rule"):
        if not matches(rule["Properties"]["EventPattern"], given):
            continue
        [target] = rule["Properties"]["Targets"]
        transformer = target["InputTransformer"]
        text = json.loads(transformer["InputTemplate"])
        for name, path in transformer["InputPathsMap"].items():
            value: Any = given
            for part in path.removeprefix("$.").split("."):
                value = value[part]
            text = text.replace(f"<{name}>", value)
        assert "<" not in text
        told.append(text)
    return told


@pytest.mark.parametrize("state", ["FAILED", "SUCCEEDED", "STOPPED"])
def test_the_end_of_an_execution_is_published(state: str, template: Any) -> None:
    [message] = messages(template, event(EXECUTION, state))
    assert message.startswith(f"mistral-7b-pipeline: {state}. Execution e-1, 2025-11-22T22:00:00Z. https://us-east-1.")


@pytest.mark.parametrize("state", ["STARTED", "SUPERSEDED", "RESUMED"])
def test_other_states_of_an_execution_are_not_published(state: str, template: Any) -> None:
    assert messages(template, event(EXECUTION, state)) == []


def test_a_waiting_approval_is_published_with_its_stage(template: Any) -> None:
    [message] = messages(template, event(ACTION, "STARTED", type={"category": "Approval"}))
    assert "stage prod waits for Promote. Execution e-1" in message


def test_other_actions_and_pipelines_are_not_published(template: Any) -> None:
    assert messages(template, event(ACTION, "STARTED", type={"category": "Build"})) == []
    assert messages(template, event(ACTION, "SUCCEEDED", type={"category": "Approval"})) == []
    assert messages(template, event(EXECUTION, "FAILED", pipeline="another")) == []


def test_every_address_of_the_file_is_subscribed(templates: dict[str, Any]) -> None:
    found = [r["Properties"] for r in of_type(templates["variants/pipeline"], "AWS::SNS::Subscription")]
    assert [(s["Protocol"], s["Endpoint"]) for s in found] == [
        ("email", "platform@example.com"),
        ("email", "on-call@example.com"),
    ]
    assert of_type(templates["typical/pipeline"], "AWS::SNS::Subscription") == []


def test_only_these_rules_publish_to_the_topic_and_only_with_tls(template: Any) -> None:
    allow, deny = resource(template, "AWS::SNS::TopicPolicy")["Properties"]["PolicyDocument"]["Statement"]
    rules = [name for name, r in template["Resources"].items() if r["Type"] == "AWS::Events::Rule"]
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Condition"]["ArnEquals"]["aws:SourceArn"] == [{"Fn::GetAtt": [rule, "Arn"]} for rule in rules]
    assert (deny["Effect"], deny["Principal"]) == ("Deny", {"AWS": "*"})
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_eventbridge_may_use_the_topics_key_only_for_this_topic(template: Any) -> None:
    """The key of an encrypted topic lets EventBridge in without `aws:SourceAccount`, which it does not send. Source:
    SNS developer guide, encrypted topics.
    """
    topic = resource(template, "AWS::SNS::Topic")["Properties"]
    key = template["Resources"][topic["KmsMasterKeyId"]["Fn::GetAtt"][0]]["Properties"]["KeyPolicy"]["Statement"]
    [statement] = [s for s in key if s["Principal"] == {"Service": "events.amazonaws.com"}]
    [(operator, condition)] = statement["Condition"].items()
    assert operator == "ArnEquals"
    assert condition["kms:EncryptionContext:aws:sns:topicArn"].endswith(f":{topic['TopicName']}")
    assert set(statement["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey"}
