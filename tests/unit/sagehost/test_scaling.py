"""Application Auto Scaling acts on a variant's instances, and tells why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse

from sagehost.clock import CLOCK
from tests.unit.sagehost.scaled_endpoint import HIGH_RESOLUTION, START, TARGET, ScaledEndpoint

HOUR = 3600.0


@pytest.fixture(autouse=True)
def _clock() -> Iterator[None]:
    yield
    CLOCK.set(datetime.now(UTC))


@pytest.mark.parametrize(
    ("predefined", "metric", "statistic", "period"),
    [
        (HIGH_RESOLUTION, "ConcurrentRequestsPerModel", "Average", 10),
        ("SageMakerVariantInvocationsPerInstance", "InvocationsPerInstance", "Sum", 60),
    ],
)
def test_a_target_tracking_policy_makes_its_two_alarms(
    predefined: str, metric: str, statistic: str, period: int
) -> None:
    endpoint = ScaledEndpoint()
    put = endpoint.put_policy(predefined)
    high, low = endpoint.alarms()
    assert [{"AlarmName": one["AlarmName"], "AlarmARN": one["AlarmArn"]} for one in (high, low)] == put["Alarms"]
    for alarm, name in ((high, "High"), (low, "Low")):
        assert re.fullmatch(f"TargetTracking-endpoint/e/variant/v-Alarm{name}-[0-9a-f-]{{36}}", alarm["AlarmName"])
        assert alarm["AlarmDescription"].startswith("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy arn:aws:")
        assert alarm["AlarmActions"] == [put["PolicyARN"]]
        assert (alarm["Namespace"], alarm["MetricName"]) == ("AWS/SageMaker", metric)
        assert (alarm["Statistic"], alarm["Period"]) == (statistic, period)
        assert alarm["Dimensions"] == [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "v"}]
    assert (high["ComparisonOperator"], high["Threshold"], high["EvaluationPeriods"]) == ("GreaterThanThreshold", 10, 3)
    assert (low["ComparisonOperator"], low["Threshold"], low["EvaluationPeriods"]) == ("LessThanThreshold", 9, 15)


def test_a_policy_that_is_changed_keeps_its_arn_and_has_no_alarms_of_before() -> None:
    endpoint = ScaledEndpoint()
    before = endpoint.put_policy()
    assert endpoint.put_policy(TargetValue=20.0)["PolicyARN"] == before["PolicyARN"]
    assert [one["Threshold"] for one in endpoint.alarms()] == [20, 18]
    assert len(endpoint.cloudwatch.describe_alarms()["MetricAlarms"]) == 2


def test_moto_gives_a_policy_that_is_changed_another_arn_and_no_alarms(monkeypatch: pytest.MonkeyPatch) -> None:
    own: Any = ApplicationAutoscalingBackend.put_scaling_policy
    monkeypatch.setattr(ApplicationAutoscalingBackend, "put_scaling_policy", own.__wrapped__)
    endpoint = ScaledEndpoint()
    before = endpoint.put_policy()
    assert before["Alarms"] == []
    assert endpoint.put_policy()["PolicyARN"] != before["PolicyARN"]


@pytest.mark.parametrize("delete", ["delete_scaling_policy", "deregister_scalable_target"])
def test_the_alarms_go_with_the_policy_and_with_the_target(delete: str) -> None:
    endpoint = ScaledEndpoint()
    endpoint.put_policy()
    named = {"PolicyName": "load"} if "policy" in delete else {}
    getattr(endpoint.scaling, delete)(**TARGET, **named)
    assert endpoint.cloudwatch.describe_alarms()["MetricAlarms"] == []


def test_an_alarm_scales_out_and_the_activity_succeeds_when_the_instances_are_in_service() -> None:
    endpoint = ScaledEndpoint(instances=2)
    endpoint.put_policy()
    endpoint.alarm("High", 25.0)
    [activity] = endpoint.activities()
    assert (activity["StatusCode"], activity["Description"]) == ("InProgress", "Setting desired instance count to 5.")
    waiting = "Successfully set desired instance count to 5. Waiting for change to be fulfilled by sagemaker."
    assert activity["StatusMessage"] == waiting
    alarm = endpoint.alarms()[0]["AlarmName"]
    assert activity["Cause"] == f"monitor alarm {alarm} in state ALARM triggered policy load"
    assert endpoint.count == (2, 5)
    endpoint.set(59)
    assert endpoint.activities()[0]["StatusCode"] == "InProgress"
    endpoint.set(61)
    [activity] = endpoint.activities()
    assert (activity["StatusCode"], endpoint.count) == ("Successful", (5, 5))
    done = "Successfully set desired instance count to 5. Change successfully fulfilled by sagemaker."
    assert activity["StatusMessage"] == done
    assert activity["EndTime"] - activity["StartTime"] >= timedelta(seconds=60)


def test_an_alarm_scales_in() -> None:
    endpoint = ScaledEndpoint(instances=5)
    endpoint.put_policy()
    endpoint.alarm("Low", 4.0)
    endpoint.set(61)
    assert endpoint.count == (2, 2)


def test_scale_in_waits_until_the_endpoint_is_in_service() -> None:
    endpoint = ScaledEndpoint(instances=2)
    endpoint.put_policy()
    endpoint.alarm("High", 20.0)
    endpoint.alarm("Low", 1.0)
    endpoint.set(61)
    assert endpoint.count == (4, 4)
    endpoint.alarm("Low", 1.0)
    assert endpoint.count == (4, 1)


def test_the_scale_out_cooldown_begins_when_the_activity_ends() -> None:
    endpoint = ScaledEndpoint()
    endpoint.put_policy(ScaleOutCooldown=100)
    endpoint.alarm("High", 20.0)
    endpoint.set(62)  # in service: cool-down to 162
    endpoint.alarm("High", 15.0)  # from one instance, two
    assert endpoint.count == (2, 2)
    endpoint.set(163)
    endpoint.alarm("High", 15.0)  # from two instances, three
    assert endpoint.count == (2, 3)


def test_what_sagemaker_refuses_is_a_failed_activity_with_its_reason() -> None:
    endpoint = ScaledEndpoint()
    endpoint.put_policy()
    desired = [{"VariantName": "v", "DesiredInstanceCount": 2}]
    endpoint.sagemaker.update_endpoint_weights_and_capacities(EndpointName="e", DesiredWeightsAndCapacities=desired)
    endpoint.alarm("High", 40.0)
    [activity] = endpoint.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith(
        "Failed to set desired instance count to 8. Reason: Cannot update in-progress endpoint"
    )
    endpoint.set(61)
    endpoint.alarm("High", 40.0)  # no cool-down after a failure
    assert endpoint.count == (2, 8)


def test_an_update_that_fails_is_a_failed_activity_without_a_cooldown() -> None:
    endpoint = ScaledEndpoint()
    endpoint.put_policy()
    endpoint.starts = False
    endpoint.alarm("High", 20.0)
    endpoint.set(61)
    [activity] = endpoint.activities()
    assert activity["StatusCode"] == "Failed"
    assert activity["StatusMessage"].startswith("Failed to set desired instance count to 2. Reason: ")
    assert endpoint.count == (1, 1)
    endpoint.starts = True
    endpoint.alarm("High", 20.0)
    assert endpoint.count == (1, 2)


@pytest.mark.parametrize("suspended", ["DynamicScalingOutSuspended", "DynamicScalingInSuspended"])
def test_a_suspended_direction_does_not_scale(suspended: str) -> None:
    endpoint = ScaledEndpoint(instances=4, SuspendedState={suspended: True})
    endpoint.put_policy()
    which, other = ("High", ("Low", 1.0)) if "Out" in suspended else ("Low", ("High", 15.0))
    endpoint.alarm(which, 20.0 if which == "High" else 1.0)
    assert (endpoint.count, endpoint.activities()) == ((4, 4), [])
    endpoint.alarm(*other)
    assert endpoint.count != (4, 4)


def test_a_policy_without_scale_in_only_scales_out() -> None:
    endpoint = ScaledEndpoint(instances=4)
    endpoint.put_policy(DisableScaleIn=True)
    endpoint.alarm("Low", 1.0)
    assert endpoint.count == (4, 4)
    endpoint.alarm("High", 15.0)
    assert endpoint.count == (4, 6)


@pytest.mark.parametrize(("which", "instances", "limit"), [("High", 8, "Max"), ("Low", 1, "Min")])
def test_what_is_not_scaled_at_a_bound_is_told_to_those_who_ask_for_it(which: str, instances: int, limit: str) -> None:
    endpoint = ScaledEndpoint(instances=instances)
    endpoint.put_policy()
    endpoint.alarm(which, 40.0 if which == "High" else 0.0)
    assert endpoint.activities() == []
    [activity] = endpoint.activities(IncludeNotScaledActivities=True)
    assert activity["Description"] == "Attempting to scale due to alarm triggered"
    assert activity["NotScaledReasons"] == [{"Code": f"AlreadyAt{limit}Capacity", f"{limit}Capacity": instances}]


@pytest.mark.parametrize(
    ("bounds", "count", "cause"),
    [
        ({"MinCapacity": 3}, 3, "minimum capacity was set to 3"),
        ({"MaxCapacity": 1}, 1, "maximum capacity was set to 1"),
    ],
)
def test_the_capacity_moves_into_new_bounds(bounds: dict[str, int], count: int, cause: str) -> None:
    endpoint = ScaledEndpoint(instances=2)
    endpoint.register(**bounds)
    assert endpoint.count == (2, count)
    assert [one["Cause"] for one in endpoint.activities()] == [cause]


def test_moto_leaves_the_capacity_outside_of_new_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    own: Any = ApplicationAutoScalingResponse.register_scalable_target
    monkeypatch.setattr(ApplicationAutoScalingResponse, "register_scalable_target", own.__wrapped__)
    assert ScaledEndpoint(MinCapacity=3).count == (1, 1)


def test_a_scheduled_action_sets_the_bounds_at_its_time_in_its_zone() -> None:
    endpoint = ScaledEndpoint()
    endpoint.schedule("morning", "cron(30 8 ? * MON-FRI *)", 3, 6, Timezone="Europe/Berlin")
    endpoint.set(7.4 * HOUR)
    assert endpoint.activities() == []
    endpoint.set(7.5 * HOUR)
    moved, bounds = endpoint.activities()
    assert bounds["Description"] == "Setting min capacity to 3 and max capacity to 6"
    assert bounds["Cause"] == "scheduled action name morning was triggered"
    assert bounds["StatusMessage"] == "Successfully set min capacity to 3 and max capacity to 6"
    assert moved["Cause"] == "minimum capacity was set to 3"
    [target] = endpoint.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (3, 6)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("cron(0 20 ? * SAT,SUN *)", 5 * 24 + 20),
        ("cron(0 20 ? * SUN-TUE *)", 20),
        ("cron(15 20 * * ? *)", 20.25),
        ("at(2027-01-06T12:00:00)", 60),
    ],
)
def test_a_scheduled_action_is_due_as_its_expression_says(expression: str, due: float) -> None:
    endpoint = ScaledEndpoint()
    endpoint.schedule("one", expression, 2)
    endpoint.set(due * HOUR - 1)
    assert endpoint.count == (1, 1)
    endpoint.set(due * HOUR)
    assert endpoint.count == (1, 2)


def test_scheduled_actions_that_are_late_run_in_their_order_once() -> None:
    endpoint = ScaledEndpoint(update_s=0.0)
    endpoint.schedule("night", "cron(0 20 * * ? *)", 1, 2)
    endpoint.schedule("day", "cron(0 8 * * ? *)", 3, 5)
    endpoint.set(3 * 24 * HOUR)
    causes = [one["Cause"] for one in endpoint.activities() if one["Cause"].startswith("scheduled")]
    assert causes == [f"scheduled action name {name} was triggered" for name in ("night", "day")]


def test_a_scheduled_action_runs_between_its_start_and_its_end() -> None:
    endpoint = ScaledEndpoint()
    within: dict[str, Any] = {"StartTime": START + timedelta(days=1), "EndTime": START + timedelta(days=2)}
    endpoint.schedule("day", "cron(0 8 * * ? *)", 3, **within)
    endpoint.set(9 * HOUR)
    assert endpoint.count == (1, 1)
    endpoint.set(33 * HOUR)
    assert endpoint.count == (1, 3)
    endpoint.set(34 * HOUR)
    endpoint.register(MinCapacity=1)
    endpoint.set(57 * HOUR)
    [target] = endpoint.scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MinCapacity"] == 1


def test_a_scheduled_minimum_above_the_maximum_is_a_failed_activity() -> None:
    endpoint = ScaledEndpoint(MaxCapacity=2)
    endpoint.schedule("day", "cron(0 8 * * ? *)", 3)
    endpoint.set(9 * HOUR)
    [activity] = endpoint.activities()
    assert (activity["StatusCode"], endpoint.count) == ("Failed", (1, 1))
    assert "Minimum capacity must not exceed maximum capacity." in activity["StatusMessage"]


def test_suspended_scheduled_actions_and_those_of_no_target_do_not_run() -> None:
    endpoint = ScaledEndpoint(SuspendedState={"ScheduledScalingSuspended": True})
    endpoint.schedule("day", "cron(0 8 * * ? *)", 3)
    endpoint.set(9 * HOUR)
    endpoint.scaling.deregister_scalable_target(**TARGET)
    endpoint.set(33 * HOUR)
    assert (endpoint.count, endpoint.activities()) == ((1, 1), [])


def test_activities_come_in_pages_the_newest_first() -> None:
    endpoint = ScaledEndpoint(update_s=0.0)
    for number in (2, 3, 4):
        endpoint.set(10.0 * number)
        endpoint.register(MinCapacity=number)
    told = [f"minimum capacity was set to {number}" for number in (4, 3, 2)]
    first = endpoint.scaling.describe_scaling_activities(ServiceNamespace="sagemaker", MaxResults=2)
    second = endpoint.activities(NextToken=first["NextToken"], MaxResults=2)
    assert [one["Cause"] for one in (*first["ScalingActivities"], *second)] == told


def test_activities_of_another_resource_are_not_shown() -> None:
    endpoint = ScaledEndpoint(MinCapacity=2)
    assert len(endpoint.activities(ResourceId=TARGET["ResourceId"])) == 1
    assert endpoint.activities(ResourceId="endpoint/other/variant/v") == []


def test_a_policy_on_steps_is_refused_by_name() -> None:
    endpoint = ScaledEndpoint()
    steps = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
    with pytest.raises(ClientError, match="policy type StepScaling"):
        endpoint.scaling.put_scaling_policy(
            **TARGET, PolicyName="steps", PolicyType="StepScaling", StepScalingPolicyConfiguration=steps
        )
