from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_applicationautoscaling as appscaling

from sagemaker_tgi import InstanceScaling, InvalidPropsError, TgiEndpoint

Only = Callable[[cdk.Stack, str], dict[str, Any]]
Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]


@pytest.fixture
def endpoint(make_endpoint: Callable[..., TgiEndpoint]) -> TgiEndpoint:
    return make_endpoint()


def test_the_variants_instances_are_registered_within_bounds(
    stack: cdk.Stack, endpoint: TgiEndpoint, only: Only
) -> None:
    endpoint.auto_scale(InstanceScaling(min_capacity=2, max_capacity=5))
    target = only(stack, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 5)
    assert target["ServiceNamespace"] == "sagemaker"
    assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
    assert target["ResourceId"] == "endpoint/chat/variant/AllTraffic"


def test_the_endpoint_exists_before_it_is_registered(stack: cdk.Stack, endpoint: TgiEndpoint, only: Only) -> None:
    endpoint.auto_scale(InstanceScaling())
    resource = endpoint.node.default_child
    assert isinstance(resource, cdk.CfnElement)
    depends_on = only(stack, "AWS::ApplicationAutoScaling::ScalableTarget")["DependsOn"]
    assert stack.get_logical_id(resource) in depends_on


def test_scaling_uses_the_service_linked_role(
    stack: cdk.Stack, endpoint: TgiEndpoint, only: Only, resources: Resources
) -> None:
    endpoint.auto_scale(InstanceScaling())
    assert "RoleARN" not in only(stack, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"]
    assert resources(stack, "AWS::IAM::Role") == []


def test_scaling_tracks_requests_in_flight_at_high_resolution(
    stack: cdk.Stack, endpoint: TgiEndpoint, only: Only
) -> None:
    endpoint.auto_scale(
        InstanceScaling(
            target_concurrent_requests=12.5,
            scale_out_cooldown=cdk.Duration.seconds(30),
            scale_in_cooldown=cdk.Duration.minutes(10),
        )
    )
    policy = only(stack, "AWS::ApplicationAutoScaling::ScalingPolicy")["Properties"]
    assert policy["PolicyType"] == "TargetTrackingScaling"
    assert policy["TargetTrackingScalingPolicyConfiguration"] == {
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"
        },
        "TargetValue": 12.5,
        "ScaleOutCooldown": 30,
        "ScaleInCooldown": 600,
    }


def test_bounds_change_by_schedule(stack: cdk.Stack, endpoint: TgiEndpoint, only: Only) -> None:
    morning = appscaling.ScalingSchedule(
        schedule=appscaling.Schedule.cron(hour="8", minute="0"), min_capacity=2, max_capacity=4
    )
    night = appscaling.ScalingSchedule(
        schedule=appscaling.Schedule.expression("cron(0 20 ? * MON-FRI *)"),
        max_capacity=2,
        time_zone=cdk.TimeZone.ASIA_TOKYO,
    )
    endpoint.auto_scale(InstanceScaling(max_capacity=4, schedule={"morning": morning, "night": night}))
    first, second = only(stack, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"]["ScheduledActions"]
    assert first == {
        "ScheduledActionName": "morning",
        "Schedule": "cron(0 8 * * ? *)",
        "ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 4},
    }
    assert (second["Schedule"], second["Timezone"]) == ("cron(0 20 ? * MON-FRI *)", "Asia/Tokyo")


def test_scheduled_bounds_are_in_order(endpoint: TgiEndpoint) -> None:
    morning = appscaling.Schedule.cron(hour="8", minute="0")
    upside_down = appscaling.ScalingSchedule(schedule=morning, min_capacity=3)
    with pytest.raises(
        InvalidPropsError, match=r"schedule\['morning'\].max_capacity=2: is out of range; use 3 or more"
    ):
        endpoint.auto_scale(InstanceScaling(schedule={"morning": upside_down}))


def test_scale_in_waits_longer_than_scale_out_by_default(stack: cdk.Stack, endpoint: TgiEndpoint, only: Only) -> None:
    endpoint.auto_scale(InstanceScaling())
    policy = only(stack, "AWS::ApplicationAutoScaling::ScalingPolicy")["Properties"]
    configuration = policy["TargetTrackingScalingPolicyConfiguration"]
    assert (configuration["ScaleOutCooldown"], configuration["ScaleInCooldown"]) == (60, 300)


@pytest.mark.parametrize(
    ("minimum", "maximum", "problem"),
    [
        (0, 2, "min_capacity=0: is out of range; use 1 or more"),
        (3, 2, "max_capacity=2: is out of range; use 3 or more"),
    ],
)
def test_impossible_bounds_are_refused(endpoint: TgiEndpoint, minimum: int, maximum: int, problem: str) -> None:
    with pytest.raises(InvalidPropsError) as error:
        endpoint.auto_scale(InstanceScaling(min_capacity=minimum, max_capacity=maximum))
    assert problem in str(error.value)


def test_a_target_of_nothing_in_flight_is_refused(endpoint: TgiEndpoint) -> None:
    with pytest.raises(InvalidPropsError, match="target_concurrent_requests=0: is not positive; use 1 or more"):
        endpoint.auto_scale(InstanceScaling(target_concurrent_requests=0))


def test_an_endpoint_is_registered_once(endpoint: TgiEndpoint) -> None:
    endpoint.auto_scale(InstanceScaling())
    with pytest.raises(RuntimeError, match="There is already a Construct with name 'Scaling'"):
        endpoint.auto_scale(InstanceScaling(max_capacity=3))
