import json
from datetime import time
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from sagemaker_tgi import InvalidPropsError, OfficeHours, TgiEndpoint, TgiEndpointConfig, TgiModel

Resource = dict[str, Any]


def define(stack: cdk.Stack, model: TgiModel, opens: time, closes: time) -> None:
    config = TgiEndpointConfig(stack, "Config", model=model)
    endpoint = TgiEndpoint(stack, "Endpoint", endpoint_name="Chat", endpoint_config=config)
    hours: dict[str, Any] = {"time_zone": "Asia/Tokyo", "opens": opens, "closes": closes}
    OfficeHours(stack, "Hours", endpoint=endpoint, endpoint_config=config, **hours)


@pytest.fixture
def template(stack: cdk.Stack, model: TgiModel) -> dict[str, Resource]:
    """The resources of an endpoint at office hours, by the beginnings of their logical ids."""
    define(stack, model, time(8, 30), time(19))
    cdk.Tags.of(stack).add("team", "search")  # after the construct
    found: dict[str, Resource] = Template.from_stack(stack).to_json()["Resources"]
    return {name[:-8]: resource for name, resource in found.items()}


def test_hours_end_after_they_begin(stack: cdk.Stack, model: TgiModel) -> None:
    with pytest.raises(InvalidPropsError, match="closes='08:00': is not after opens, 19:00"):
        define(stack, model, time(19), time(8))


def target(template: dict[str, Resource], schedule: str) -> dict[str, Any]:
    found: dict[str, Any] = template[schedule]["Properties"]["Target"]
    return found


def request(template: dict[str, Resource], schedule: str) -> dict[str, Any]:
    """What a schedule sends to SageMaker, with references as `<GetAtt>`."""
    text = target(template, schedule)["Input"]
    if isinstance(text, dict):
        text = "".join(part if isinstance(part, str) else "<GetAtt>" for part in text["Fn::Join"][1])
    sent: dict[str, Any] = json.loads(text)
    return sent


def test_the_endpoint_is_created_and_deleted_on_weekdays_in_the_time_zone(template: dict[str, Resource]) -> None:
    found = {name: template[name]["Properties"]["ScheduleExpression"] for name in ("HoursCreate", "HoursDelete")}
    assert found == {"HoursCreate": "cron(30 8 ? * MON-FRI *)", "HoursDelete": "cron(0 19 ? * MON-FRI *)"}
    for name, action in (("HoursCreate", "createEndpoint"), ("HoursDelete", "deleteEndpoint")):
        properties = template[name]["Properties"]
        assert f"aws-sdk:sagemaker:{action}" in str(target(template, name)["Arn"])
        assert properties["ScheduleExpressionTimezone"] == "Asia/Tokyo"
        assert properties["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_it_is_created_with_the_deployed_configuration_and_every_tag(template: dict[str, Resource]) -> None:
    assert request(template, "HoursCreate") == {
        "EndpointName": "Chat",
        "EndpointConfigName": "<GetAtt>",
        "Tags": template["Endpoint"]["Properties"]["Tags"],
    }
    assert request(template, "HoursDelete") == {"EndpointName": "Chat"}
    assert {"Key": "team", "Value": "search"} in template["Endpoint"]["Properties"]["Tags"]


@pytest.mark.parametrize("schedule", ["HoursCreate", "HoursDelete"])
def test_retries_end_after_an_hour_in_the_dead_letter_queue(template: dict[str, Resource], schedule: str) -> None:
    assert target(template, schedule)["RetryPolicy"]["MaximumEventAgeInSeconds"] == 3600
    assert "HoursDeadLetters" in str(target(template, schedule)["DeadLetterConfig"])
    queue = template["HoursDeadLetters"]["Properties"]
    assert (queue["SqsManagedSseEnabled"], queue["MessageRetentionPeriod"]) == (True, 14 * 24 * 3600)


@pytest.mark.parametrize("schedule", ["HoursCreate", "HoursDelete"])
def test_schedules_come_after_the_endpoint_and_go_before_it(template: dict[str, Resource], schedule: str) -> None:
    assert any(name.startswith("Endpoint") for name in template[schedule]["DependsOn"])


def test_the_role_is_for_schedules_of_its_group_and_one_endpoint(
    stack: cdk.Stack, template: dict[str, Resource]
) -> None:
    role = template["HoursRole"]["Properties"]
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": "111122223333"}
    assert "HoursGroup" in str(trust["Condition"]["ArnLike"]["aws:SourceArn"])
    policies = {one["PolicyName"]: one["PolicyDocument"]["Statement"] for one in role["Policies"]}
    create, delete = policies["Endpoint"]
    [endpoint, config] = create["Resource"]
    assert create["Action"] == "sagemaker:CreateEndpoint"
    assert "Config" in str(config)
    assert delete["Action"] == ["sagemaker:AddTags", "sagemaker:DeleteEndpoint"]
    assert endpoint == delete["Resource"]
    assert "endpoint/chat" in str(endpoint)
    assert [one["Action"] for one in policies["DeadLetters"]] == ["sqs:SendMessage"]
