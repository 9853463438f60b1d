import asyncio
import json
from typing import Any, get_args

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b.container.router import TgiContainer
from mistral7b.environment.schema import AlarmKind
from mistral7b.tgi.settings import LauncherSettings
from sagemaker_tgi import (
    DEFAULT_THRESHOLDS,
    AlarmTopic,
    EndpointAlarms,
    EndpointDashboard,
    InstanceScaling,
    InvalidPropsError,
    TgiEndpoint,
    count_refusals,
)

SCALING = InstanceScaling(max_capacity=3, target_concurrent_requests=16)


def alarms(stack: cdk.Stack, **props: Any) -> dict[str, dict[str, Any]]:
    """The properties of each alarm, by its name."""
    EndpointAlarms(stack, "Alarms", endpoint_name="chat", **props)
    found = Template.from_stack(stack).find_resources("AWS::CloudWatch::Alarm")
    return {one["Properties"]["AlarmName"]: one["Properties"] for one in found.values()}


def test_the_kinds_are_those_of_the_environment_file() -> None:
    assert [*DEFAULT_THRESHOLDS] == [*get_args(AlarmKind)]


def test_an_alarm_is_named_after_endpoint_and_kind(stack: cdk.Stack) -> None:
    assert list(alarms(stack, scaling=SCALING)) == [f"chat-{kind.replace('_', '-')}" for kind in DEFAULT_THRESHOLDS]


def test_alarms_name_an_endpoint_that_need_not_exist(stack: cdk.Stack) -> None:
    for alarm in alarms(stack, scaling=SCALING).values():
        assert "{'Ref'" not in str(alarm)
        assert "'EndpointName', 'Value': 'chat'" in str(alarm)


@pytest.mark.parametrize(
    ("kind", "missing", "periods"),
    [
        ("server-errors", "notBreaching", (5, 3)),
        ("model-errors", "notBreaching", (5, 3)),
        ("refused-requests", "notBreaching", (5, 3)),
        ("latency", "notBreaching", (5, 3)),
        ("gpu-memory", "missing", (15, 15)),
        ("no-healthy-instance", "breaching", (5, 5)),
        ("scaling-at-maximum", "notBreaching", (15, 15)),
    ],
)
def test_missing_data_breaches_only_where_an_instance_is_missing(
    stack: cdk.Stack, kind: str, missing: str, periods: tuple[int, int]
) -> None:
    alarm = alarms(stack, scaling=SCALING)[f"chat-{kind}"]
    assert alarm["TreatMissingData"] == missing
    assert (alarm["EvaluationPeriods"], alarm["DatapointsToAlarm"]) == periods


def test_thresholds_are_in_the_units_of_the_metrics(stack: cdk.Stack) -> None:
    found = alarms(stack, thresholds={"latency": 12.5, "gpu_memory": 90, "no_healthy_instance": 3}, gpus=4)
    latency, memory, instances = (found[f"chat-{kind}"] for kind in ("latency", "gpu-memory", "no-healthy-instance"))
    assert (latency["Threshold"], latency["ExtendedStatistic"]) == (12_500_000, "p90")
    assert memory["Threshold"] == 360
    assert (instances["Threshold"], instances["ComparisonOperator"]) == (1, "LessThanThreshold")
    assert (instances["EvaluationPeriods"], instances["Statistic"]) == (3, "SampleCount")


def test_only_the_given_kinds_have_an_alarm(stack: cdk.Stack) -> None:
    assert list(alarms(stack, thresholds={"server_errors": 2})) == ["chat-server-errors"]


def test_an_endpoint_that_does_not_scale_is_never_at_its_maximum(stack: cdk.Stack) -> None:
    assert "chat-scaling-at-maximum" not in alarms(stack)


def test_scaling_is_at_its_maximum_with_all_instances_above_the_target(stack: cdk.Stack) -> None:
    expression = alarms(stack, scaling=SCALING)["chat-scaling-at-maximum"]["Metrics"][0]["Expression"]
    assert expression == "IF((instances > 2.5) AND (in_flight > 16), 1, 0)"


def test_alarms_tell_the_topic_when_they_begin_and_end(stack: cdk.Stack) -> None:
    topic = AlarmTopic(stack, "Topic", display_name="chat", emails=["a@example.com"]).topic
    arn = [stack.resolve(topic.topic_arn)]
    assert all(one["AlarmActions"] == one["OKActions"] == arn for one in alarms(stack, topic=topic).values())
    [subscription] = Template.from_stack(stack).find_resources("AWS::SNS::Subscription").values()
    assert subscription["Properties"]["Endpoint"] == "a@example.com"


def test_only_alarms_of_the_account_may_use_topic_and_key(stack: cdk.Stack) -> None:
    AlarmTopic(stack, "Topic", display_name="chat")
    template = Template.from_stack(stack)
    [key] = template.find_resources("AWS::KMS::Key").values()
    [policy] = template.find_resources("AWS::SNS::TopicPolicy").values()
    allowed = [
        one
        for one in (*key["Properties"]["KeyPolicy"]["Statement"], *policy["Properties"]["PolicyDocument"]["Statement"])
        if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    ]
    assert [one["Action"] for one in allowed] == [["kms:Decrypt", "kms:GenerateDataKey"], "sns:Publish"]
    conditions = {
        "StringEquals": {"aws:SourceAccount": "111122223333"},
        "ArnLike": {"aws:SourceArn": "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:*"},
    }
    assert all(one["Condition"] == conditions for one in allowed)


def refusal_line() -> str:
    """What the container logs of a request that it refuses."""
    lines: list[str] = []

    async def ask() -> None:
        container = TgiContainer(LauncherSettings.model_validate({"MAX_CONCURRENT_REQUESTS": 0}), log=lines.append)
        answer = await container.invoke({"content-type": "application/json"}, b'{"inputs": "Hello"}')
        assert answer.status == 429
        await asyncio.get_running_loop().shutdown_default_executor()

    asyncio.run(ask())
    [line] = lines
    return line


def test_refusals_are_counted_by_the_line_of_the_container(stack: cdk.Stack, make_endpoint: Any) -> None:
    endpoint: TgiEndpoint = make_endpoint()
    count_refusals(stack, endpoint.log_group, endpoint_name="chat")
    [counted] = Template.from_stack(stack).find_resources("AWS::Logs::MetricFilter").values()
    assert counted["Properties"]["FilterPattern"].strip('"') in refusal_line()
    [transformation] = counted["Properties"]["MetricTransformations"]
    metric = endpoint.metric_refused_requests()
    assert (metric.namespace, metric.metric_name) == (
        transformation["MetricNamespace"],
        transformation["MetricName"],
    )


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"endpoint_name": cdk.Aws.STACK_NAME}, "is not known before deployment"),
        ({"endpoint_name": "chat_1"}, "letters, digits and hyphens"),
        ({"thresholds": {"latenci": 3}}, "use these kinds"),
        ({"thresholds": {"latency": -1}}, "from 0 to 100"),
        ({"latency_statistic": "average"}, "use p50, p90 or p99"),
        ({"gpus": 0}, "use 1 or more"),
    ],
)
def test_wrong_props_are_refused(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidPropsError, match=message):
        EndpointAlarms(stack, "Alarms", **{"endpoint_name": "chat", **props})


def dashboard(stack: cdk.Stack, **props: Any) -> list[dict[str, Any]]:
    """The widgets of a dashboard."""
    EndpointDashboard(stack, "Dashboard", endpoint_name="chat", **props)
    [resource] = Template.from_stack(stack).find_resources("AWS::CloudWatch::Dashboard").values()
    body = resource["Properties"]["DashboardBody"]
    text = body if isinstance(body, str) else "".join(p if isinstance(p, str) else "X" for p in body["Fn::Join"][1])
    widgets: list[dict[str, Any]] = json.loads(text)["widgets"]
    return widgets


def test_dashboard_asks_from_top_to_bottom(stack: cdk.Stack) -> None:
    made = EndpointAlarms(stack, "Alarms", endpoint_name="chat")
    widgets = dashboard(stack, alarms=[*made.by_kind.values()])
    assert len(widgets[0]["properties"]["alarms"]) == len(made.by_kind)
    left = [one["properties"]["title"].split("?")[0] for one in widgets[1:] if one["x"] == 0]
    assert left == ["Is it up", "Is it slow", "Who suffers", "Why"]


def test_dashboard_draws_objective_target_limit_and_bounds(stack: cdk.Stack) -> None:
    widgets = dashboard(stack, scaling=SCALING, max_concurrent_requests=128, latency={"objective": 12.5})
    lines = [one["properties"].get("annotations", {}).get("horizontal", []) for one in widgets]
    assert {line["label"]: line["value"] for found in lines for line in found} == {
        "fewest": 1,
        "most": 3,
        "objective": 12.5,
        "target": 16,
        "limit": 128,
    }


def test_dashboard_queries_the_log_of_the_endpoint(stack: cdk.Stack) -> None:
    queries = [one["properties"]["query"] for one in dashboard(stack) if one["type"] == "log"]
    assert all(one.startswith("SOURCE '/aws/sagemaker/Endpoints/chat'") for one in queries)
    assert queries[0].split("/")[-2] in refusal_line()
