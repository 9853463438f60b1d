"""How an update of an endpoint moves requests to new instances, and which alarms roll it back."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from sagemaker_tgi.props import PropsCheck

# BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy and AutoRollbackConfig in the SageMaker API.
_BATCH_PERCENT = {"ALL_AT_ONCE": (1, 50), "CANARY": (1, 50), "LINEAR": (10, 50), "ROLLING": (5, 50)}
_MAX_ALARMS, _MAX_WAIT_S, _MAXIMUM_S = 10, 3600, (600, 28_800)
_FIVE_MINUTES = cdk.Duration.minutes(5)


@dataclass(frozen=True)
class UpdatePolicy:
    """A deployment guardrail: an alarm, or an instance that does not start, returns all requests to the old fleet.

    All strategies but ROLLING start a second fleet, for which the quota has to be twice as high.
    """

    strategy: str = "ALL_AT_ONCE"
    """ALL_AT_ONCE; CANARY, a part of the requests first; LINEAR, in equal steps; ROLLING, instances batch by batch."""
    rollback_alarms: Sequence[cloudwatch.IAlarm] = ()
    """Up to 10 alarms, which name the endpoint by its literal name, as they are made first."""
    batch_percent: int = 25
    """Size of the canary, the linear step or the rolling batch, in percent of the instances."""
    batch_instances: int | None = None
    """The same as a number of instances, in place of `batch_percent`."""
    wait: cdk.Duration = _FIVE_MINUTES
    """For how long the alarms are watched after each batch; up to 1 hour. Default: 5 minutes."""
    bake: cdk.Duration = _FIVE_MINUTES
    """The same after the last batch, before the old fleet is stopped. ROLLING has `wait` only. Default: 5 minutes."""
    maximum: cdk.Duration | None = None
    """For how long an update may last, 10 minutes to 8 hours. Default: SageMaker's."""

    def deployment_config(
        self, scope: Construct, *, instances: tuple[int, int]
    ) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
        """The endpoint's DeploymentConfig. It has so many instances at least and at most."""
        with PropsCheck(scope, "Update") as check:
            self._check(check, *instances)
        cfn, routing = sagemaker.CfnEndpoint, self.strategy
        maximum = self.maximum.to_seconds() if self.maximum else None
        wait, kind = self.wait.to_seconds(), "INSTANCE_COUNT" if self.batch_instances else "CAPACITY_PERCENT"
        size = cfn.CapacitySizeProperty(type=kind, value=self.batch_instances or self.batch_percent)
        blue_green = cfn.BlueGreenUpdatePolicyProperty(
            traffic_routing_configuration=cfn.TrafficRoutingConfigProperty(
                type=routing,
                canary_size=size if routing == "CANARY" else None,
                linear_step_size=size if routing == "LINEAR" else None,
                wait_interval_in_seconds=wait,
            ),
            termination_wait_in_seconds=self.bake.to_seconds(),
            maximum_execution_timeout_in_seconds=maximum,
        )
        rolling = cfn.RollingUpdatePolicyProperty(
            maximum_batch_size=size, wait_interval_in_seconds=wait, maximum_execution_timeout_in_seconds=maximum
        )
        alarms = [cfn.AlarmProperty(alarm_name=one.alarm_name) for one in self.rollback_alarms]
        return cfn.DeploymentConfigProperty(
            auto_rollback_configuration=cfn.AutoRollbackConfigProperty(alarms=alarms) if alarms else None,
            blue_green_update_policy=None if routing == "ROLLING" else blue_green,
            rolling_update_policy=rolling if routing == "ROLLING" else None,
        )

    def _check(self, check: PropsCheck, fewest: int, most: int) -> None:
        check.between("rollback_alarms (count)", len(self.rollback_alarms), 0, _MAX_ALARMS)
        check.seconds_between("wait", self.wait, 0, _MAX_WAIT_S)
        check.seconds_between("bake", self.bake, 0, _MAX_WAIT_S)
        if self.maximum is not None:
            check.seconds_between("maximum", self.maximum, *_MAXIMUM_S)
        if check.matches("strategy", self.strategy, "|".join(_BATCH_PERCENT), "use one of these"):
            low, high = _BATCH_PERCENT[self.strategy]
            check.between("batch_percent", self.batch_percent, low, high)
            if self.strategy != "ALL_AT_ONCE":
                check.between("instances (at least)", fewest, 2)
                if self.batch_instances is not None and fewest > 1:
                    check.between("batch_instances", self.batch_instances, ceil(most * low / 100), fewest * high // 100)
