"""Stacks whose endpoint has rollback alarms."""

from typing import Any

import pytest

from sagehost.hosting.endpoints import HOSTED
from tests.unit.sagehost.cloudformation.conftest import Account
from tests.unit.sagehost.cloudformation.templates import Resources, hosting, with_properties

ALARM = "errors"


def guarded(**environment: str) -> Resources:
    """An endpoint whose role may look at the alarm that rolls it back."""
    routing = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0}
    deployment = {
        "BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": routing},
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": ALARM}]},
    }
    allowed = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}
    document = {"Version": "2012-10-17", "Statement": [allowed]}
    resources = with_properties(hosting(**environment), "Endpoint", DeploymentConfig=deployment)
    return with_properties(resources, "Role", Policies=[{"PolicyName": "alarms", "PolicyDocument": document}])


def test_an_alarm_that_stays_on_fails_the_rollback_until_it_is_over(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(HOSTED, "wait_factor", 0.0)
    cloudwatch = account.client("cloudwatch")
    limit: dict[str, Any] = {"EvaluationPeriods": 1, "Threshold": 1, "ComparisonOperator": "GreaterThanThreshold"}
    of = {"Namespace": "AWS/SageMaker", "MetricName": "Invocation5XXErrors", "Statistic": "Sum", "Period": 60}
    cloudwatch.put_metric_alarm(AlarmName=ALARM, **of, **limit)
    account.deploy("guarded", guarded())

    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="ALARM", StateReason="a test")
    assert account.update("guarded", guarded(MAX_CONCURRENT_REQUESTS="4")) == "UPDATE_ROLLBACK_FAILED"

    cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue="OK", StateReason="a test")
    account.cfn.continue_update_rollback(StackName="guarded")
    assert account.status("guarded") == "UPDATE_ROLLBACK_COMPLETE"
