"""Updates that shift requests step by step, and that an alarm rolls back."""

from __future__ import annotations

import json
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagehost import quotas
from sagehost.hosting.endpoints import HOSTED
from tests.unit.sagehost.hosting.conftest import ACCOUNT, REGION

Deploy = Callable[..., str]
Settled = Callable[[str], dict[str, Any]]
LONG = 3600
ALARM = "chat-server-errors"


def policy(kind: str, size: dict[str, Any] | None = None, wait: int = LONG, bake: int = 0) -> dict[str, Any]:
    if kind == "ROLLING":
        return {"RollingUpdatePolicy": {"MaximumBatchSize": size, "WaitIntervalInSeconds": wait}}
    sizes = {"CANARY": "CanarySize", "LINEAR": "LinearStepSize"}
    routing = {"Type": kind, "WaitIntervalInSeconds": wait} | ({sizes[kind]: size} if size else {})
    return {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing, "TerminationWaitInSeconds": bake}}


def percent(value: int) -> dict[str, Any]:
    return {"Type": "CAPACITY_PERCENT", "Value": value}


def instances(value: int) -> dict[str, Any]:
    return {"Type": "INSTANCE_COUNT", "Value": value}


def guarded(of: dict[str, Any]) -> dict[str, Any]:
    return of | {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]}}


@pytest.fixture
def unreadable_alarm(client: Callable[..., Any]) -> Iterator[Any]:
    """A rollback alarm that the execution role may not describe; yields the client that made it."""
    cloudwatch = client("cloudwatch")
    of = {"Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors", "Statistic": "Sum", "Period": 60}
    limit = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    cloudwatch.put_metric_alarm(AlarmName=ALARM, **of, **limit)
    yield cloudwatch
    cloudwatch.delete_alarms(AlarmNames=[ALARM])


@pytest.fixture
def alarm(client: Callable[..., Any], role: str, unreadable_alarm: Any) -> Iterator[Callable[[str], None]]:
    """Set the state of the rollback alarm, which the execution role may describe."""
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{ALARM}"
    allowed = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": arn}
    named = {"RoleName": role.rpartition("/")[2], "PolicyName": "alarms"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    client("iam").put_role_policy(**named, PolicyDocument=document)
    yield lambda state: unreadable_alarm.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a test")
    client("iam").delete_role_policy(**named)


@pytest.fixture
def baking(sagemaker: Any) -> Callable[[str, int], dict[str, Any]]:
    """Wait until so many of the new instances serve; returns the endpoint's description."""

    def wait(name: str, serving: int) -> dict[str, Any]:
        for _ in range(1000):
            described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
            pending = described.get("PendingDeploymentSummary")
            if pending and pending["ProductionVariants"][0]["CurrentInstanceCount"] == serving:
                return described
            threading.Event().wait(0.01)
        raise AssertionError(f"{name} has no {serving} new instances: {described}")

    return wait


@pytest.fixture
def update(
    sagemaker: Any, make_config: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., dict[str, Any]]:
    """Start an update to containers that refuse every prompt, with waits by a factor; returns what was before."""

    def start(
        name: str, deployment: dict[str, Any] | None, *, factor: float = 1.0, count: int = 4, **variant: Any
    ) -> dict[str, Any]:
        before: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
        monkeypatch.setattr(HOSTED, "wait_factor", factor)
        config = make_config({"MAX_INPUT_LENGTH": "1"}, InitialInstanceCount=count, **variant)
        options = {"DeploymentConfig": deployment} if deployment else {}
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config, **options)
        return before

    return start


@pytest.fixture
def answers(ask: Callable[..., Any]) -> Callable[[str], Counter[str]]:
    """Which instances answer 200 requests: the old ones answer, the new ones refuse."""

    def count(name: str) -> Counter[str]:
        served = Counter[str]()
        for _ in range(200):
            try:
                ask(name, "Hello", max_new_tokens=1)
            except ClientError as error:
                served["new" if "must have less than 1 tokens" in str(error) else str(error)] += 1
            else:
                served["old"] += 1
        return served

    return count


def test_a_canary_answers_its_share_until_its_wait_is_over(
    *,
    deploy: Deploy,
    update: Callable[..., Any],
    baking: Callable[..., Any],
    answers: Any,
    alarm: Callable[[str], None],
    settled: Settled,
) -> None:
    name = deploy(InitialInstanceCount=4)
    before = update(name, guarded(policy("CANARY", percent(25))))
    during = baking(name, 1)
    assert during["EndpointStatus"] == "Updating"
    assert during["EndpointConfigName"] == before["EndpointConfigName"]
    assert during["ProductionVariants"] == before["ProductionVariants"]
    [new] = during["PendingDeploymentSummary"]["ProductionVariants"]
    assert (new["CurrentInstanceCount"], new["DesiredInstanceCount"], new["CurrentWeight"]) == (1, 4, 1.0)
    [status] = new["VariantStatus"]
    said = "Baking for 3600 seconds (WaitIntervalInSeconds) with traffic enabled on canary capacity of 1 instance(s)."
    assert (status["Status"], status["StatusMessage"]) == ("Baking", said)
    share, deviation = 50, math.sqrt(200 * 0.25 * 0.75)
    assert abs(answers(name)["new"] - share) < 5 * deviation
    alarm("ALARM")
    assert settled(name)["EndpointStatus"] == "InService"


def test_an_alarm_takes_all_requests_back_with_a_reason(
    *,
    deploy: Deploy,
    update: Callable[..., Any],
    baking: Callable[..., Any],
    answers: Any,
    alarm: Callable[[str], None],
    settled: Settled,
) -> None:
    name = deploy()
    before = update(name, guarded(policy("ALL_AT_ONCE", bake=LONG)), count=1)
    baking(name, 1)
    assert answers(name) == {"new": 200}
    alarm("ALARM")
    after = settled(name)
    assert after["EndpointStatus"] == "InService"
    assert after["FailureReason"] == f"The deployment was rolled back: alarm {ALARM} is in ALARM state."
    assert after["EndpointConfigName"] == before["EndpointConfigName"]
    assert after["ProductionVariants"] == before["ProductionVariants"]
    assert "PendingDeploymentSummary" not in after
    assert answers(name) == {"old": 200}


@pytest.mark.parametrize(
    ("deployment", "seen"),
    [
        (policy("ALL_AT_ONCE", wait=10, bake=30), [4]),
        (policy("CANARY", instances(1), wait=30, bake=30), [1, 4]),
        (policy("LINEAR", percent(50), wait=30, bake=30), [2, 4]),
        (policy("LINEAR", percent(30), wait=30, bake=30), [2, 4]),
        (policy("ROLLING", instances(1), wait=30), [1, 2, 3, 4]),
    ],
)
def test_an_update_without_alarms_goes_through_its_stages(
    *,
    deploy: Deploy,
    update: Callable[..., Any],
    baking: Callable[..., Any],
    settled: Settled,
    deployment: dict[str, Any],
    seen: list[int],
) -> None:
    name = deploy(InitialInstanceCount=4)
    update(name, deployment, factor=0.01)
    for serving in seen:
        baking(name, serving)
    after = settled(name)
    assert "FailureReason" not in after
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 4


def test_a_rolling_update_stops_old_instances_batch_by_batch_and_a_rollback_starts_them_again(
    *,
    deploy: Deploy,
    update: Callable[..., Any],
    baking: Callable[..., Any],
    alarm: Callable[[str], None],
    settled: Settled,
    streams: Callable[[str], list[str]],
) -> None:
    name = deploy(InitialInstanceCount=4)
    update(name, guarded(policy("ROLLING", instances(2), wait=1)), factor=1.0)
    during = baking(name, 4)
    assert during["ProductionVariants"][0]["CurrentInstanceCount"] == 2
    assert len(streams(name)) == 8
    alarm("ALARM")
    after = settled(name)
    assert after["ProductionVariants"][0]["CurrentInstanceCount"] == 4
    assert len(streams(name)) == 10


def test_a_rolling_update_takes_the_quota_of_a_batch_and_blue_green_that_of_a_fleet(
    deploy: Deploy, update: Callable[..., Any], settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = deploy(InitialInstanceCount=4, InstanceType="ml.g5.4xlarge")
    monkeypatch.setitem(quotas.APPLIED, (ACCOUNT, REGION, "L-C1B9A48D"), 5)
    with pytest.raises(ClientError, match="ResourceLimitExceeded"):
        update(name, None, InstanceType="ml.g5.4xlarge")
    update(name, policy("ROLLING", instances(1), wait=0), InstanceType="ml.g5.4xlarge")
    assert "FailureReason" not in settled(name)


@pytest.mark.usefixtures("unreadable_alarm")
def test_an_execution_role_that_may_not_describe_the_alarm_fails_the_update(
    deploy: Deploy, update: Callable[..., Any], settled: Settled
) -> None:
    name = deploy()
    update(name, guarded(policy("ALL_AT_ONCE")), count=1)
    assert "is not authorized to perform: cloudwatch:DescribeAlarms" in settled(name)["FailureReason"]


def test_a_deployment_that_waits_longer_than_it_may_is_rolled_back(
    deploy: Deploy, update: Callable[..., Any], settled: Settled
) -> None:
    name = deploy(InitialInstanceCount=4)
    deployment = policy("LINEAR", percent(25), wait=300)
    deployment["BlueGreenUpdatePolicy"]["MaximumExecutionTimeoutInSeconds"] = 600
    update(name, deployment, factor=0.0)
    assert "MaximumExecutionTimeoutInSeconds, 600" in settled(name)["FailureReason"]


@pytest.mark.usefixtures("unreadable_alarm")
def test_a_deployment_configuration_of_the_creation_holds_for_an_update_that_retains_it(
    *, sagemaker: Any, make_config: Callable[..., str], settled: Settled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HOSTED, "wait_factor", 0.0)
    deployment = guarded(policy("ALL_AT_ONCE"))
    sagemaker.create_endpoint(EndpointName="kept", EndpointConfigName=make_config(), DeploymentConfig=deployment)
    settled("kept")
    sagemaker.update_endpoint(EndpointName="kept", EndpointConfigName=make_config(), RetainDeploymentConfig=True)
    assert "cloudwatch:DescribeAlarms" in settled("kept")["FailureReason"]


def test_an_endpoint_neither_scales_nor_goes_while_its_update_bakes(
    *,
    sagemaker: Any,
    deploy: Deploy,
    update: Callable[..., Any],
    baking: Callable[..., Any],
    alarm: Callable[[str], None],
    settled: Settled,
) -> None:
    name = deploy()
    update(name, guarded(policy("ALL_AT_ONCE", bake=LONG)), count=1)
    baking(name, 1)
    desired = [{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=name, DesiredWeightsAndCapacities=desired)
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        sagemaker.delete_endpoint(EndpointName=name)
    alarm("ALARM")
    settled(name)
