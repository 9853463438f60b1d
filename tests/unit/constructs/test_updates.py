"""Deployment guardrails of an endpoint."""

from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_cloudwatch as cloudwatch

from sagemaker_tgi import EcrImage, InstanceScaling, InvalidPropsError, ModelArtifact, PrivateTgiEndpoint, UpdatePolicy

Only = Callable[[cdk.Stack, str], dict[str, Any]]
Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]


def alarm(stack: cdk.Stack, name: str = "chat-server-errors") -> cloudwatch.Alarm:
    metric = cloudwatch.Metric(namespace="AWS/SageMaker", metric_name="Invocation5XXErrors")
    return cloudwatch.Alarm(stack, name, alarm_name=name, metric=metric, threshold=1, evaluation_periods=1)


def config(stack: cdk.Stack, *, instances: tuple[int, int] = (4, 8), **props: Any) -> Any:
    return stack.resolve(UpdatePolicy(**props).deployment_config(stack, instances=instances))


@pytest.mark.parametrize(("strategy", "size"), [("CANARY", "canarySize"), ("LINEAR", "linearStepSize")])
def test_a_blue_green_update_has_the_size_of_its_strategy(stack: cdk.Stack, strategy: str, size: str) -> None:
    policy = config(stack, strategy=strategy, batch_percent=20, bake=cdk.Duration.minutes(2))
    routing = {"type": strategy, "waitIntervalInSeconds": 300, size: {"type": "CAPACITY_PERCENT", "value": 20}}
    assert policy == {
        "blueGreenUpdatePolicy": {"trafficRoutingConfiguration": routing, "terminationWaitInSeconds": 120}
    }


def test_a_rolling_update_has_batches_by_number(stack: cdk.Stack) -> None:
    policy = config(stack, strategy="ROLLING", batch_instances=2, maximum=cdk.Duration.hours(1))
    assert policy["rollingUpdatePolicy"] == {
        "maximumBatchSize": {"type": "INSTANCE_COUNT", "value": 2},
        "waitIntervalInSeconds": 300,
        "maximumExecutionTimeoutInSeconds": 3600,
    }


@pytest.mark.parametrize(
    ("props", "message"),
    [
        ({"strategy": "SLOW"}, r"strategy='SLOW': does not match"),
        ({"strategy": "LINEAR", "batch_percent": 5}, r"batch_percent=5: is out of range; use from 10 to 50"),
        ({"strategy": "ROLLING", "batch_percent": 4}, r"batch_percent=4: is out of range; use from 5 to 50"),
        ({"strategy": "CANARY", "batch_percent": 51}, r"batch_percent=51: is out of range; use from 1 to 50"),
        ({"strategy": "CANARY", "instances": (1, 4)}, r"instances \(at least\)=1: is out of range; use 2 or more"),
        ({"strategy": "CANARY", "batch_instances": 3}, r"batch_instances=3: is out of range; use from 1 to 2"),
        (
            {"strategy": "LINEAR", "batch_instances": 1, "instances": (4, 20)},
            r"batch_instances=1: is out of range; use from 2 to 2",
        ),
        ({"wait": cdk.Duration.minutes(61)}, r"wait \(seconds\)=3660: is out of range"),
        ({"bake": cdk.Duration.minutes(61)}, r"bake \(seconds\)=3660: is out of range"),
        ({"maximum": cdk.Duration.minutes(9)}, r"maximum \(seconds\)=540: is out of range; use from 600 to 28800"),
    ],
)
def test_props_that_sagemaker_refuses_are_refused(stack: cdk.Stack, props: dict[str, Any], message: str) -> None:
    """Sizes of batches, waits and alarms of an update are within SageMaker's limits. Source: SageMaker API,
    TrafficRoutingConfig, BlueGreenUpdatePolicy, RollingUpdatePolicy.
    """
    with pytest.raises(InvalidPropsError, match=message):
        config(stack, **props)


def test_at_most_ten_alarms_roll_an_update_back(stack: cdk.Stack) -> None:
    """At most 10 alarms roll an update back. Source: SageMaker API, AutoRollbackConfig."""
    alarms = [alarm(stack, f"alarm-{number}") for number in range(11)]
    with pytest.raises(InvalidPropsError, match=r"rollback_alarms \(count\)=11"):
        config(stack, rollback_alarms=alarms)
    config(stack, rollback_alarms=alarms[:10])


def private_endpoint(stack: cdk.Stack, **props: Any) -> PrivateTgiEndpoint:
    return PrivateTgiEndpoint(
        stack,
        "Endpoint",
        image=EcrImage.from_uri("763104351884.dkr.ecr.eu-west-1.amazonaws.com/tgi:1.1.0"),
        artifact=ModelArtifact.from_uri("s3://weights/mistral/v1/"),
        endpoint_name="chat",
        **props,
    )


def test_an_endpoint_comes_after_its_rollback_alarms_which_its_role_may_describe(
    stack: cdk.Stack, only: Only, resources: Resources
) -> None:
    """The execution role may call `cloudwatch:DescribeAlarms` on the rollback alarms. Source: SageMaker developer
    guide, "Auto-Rollback Configuration and Monitoring".
    """
    made = alarm(stack)
    private_endpoint(stack, update_policy=UpdatePolicy(rollback_alarms=[made]))
    logical_id = stack.get_logical_id(made.node.default_child)  # type: ignore[arg-type]
    deployment = only(stack, "AWS::SageMaker::Endpoint")["Properties"]["DeploymentConfig"]
    assert deployment["AutoRollbackConfiguration"] == {"Alarms": [{"AlarmName": {"Ref": logical_id}}]}
    [policy] = [
        one["Properties"]
        for one in resources(stack, "AWS::IAM::RolePolicy")
        if one["Properties"]["PolicyName"] == "RollbackAlarms-chat"
    ]
    [statement] = policy["PolicyDocument"]["Statement"]
    assert statement["Action"] == "cloudwatch:DescribeAlarms"
    assert statement["Resource"] == {"Fn::GetAtt": [logical_id, "Arn"]}


def test_an_endpoint_without_a_policy_has_no_deployment_config_and_no_right_to_alarms(
    stack: cdk.Stack, only: Only, resources: Resources
) -> None:
    private_endpoint(stack)
    assert "DeploymentConfig" not in only(stack, "AWS::SageMaker::Endpoint")["Properties"]
    assert "cloudwatch:DescribeAlarms" not in str(resources(stack, "AWS::IAM::RolePolicy"))


def test_the_fewest_instances_of_scaling_decide_what_a_batch_may_be(stack: cdk.Stack) -> None:
    scaling = InstanceScaling(min_capacity=1, max_capacity=4)
    with pytest.raises(InvalidPropsError, match=r"instances \(at least\)=1"):
        private_endpoint(stack, instance_count=4, scaling=scaling, update_policy=UpdatePolicy(strategy="CANARY"))
