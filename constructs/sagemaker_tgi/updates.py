"""How an update of an endpoint moves requests to new instances, and which alarms take them back."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from sagemaker_tgi.props import PropsCheck

# BlueGreenUpdatePolicy, TrafficRoutingConfig, RollingUpdatePolicy and AutoRollbackConfig in the SageMaker API.
_BATCH_PERCENT = {"CANARY": (1, 50), "LINEAR": (10, 50), "ROLLING": (5, 50)}
_MAX_ALARMS, _MAX_WAIT_S, _EXECUTION_S = 10, 3600, (600, 28_800)
_FIVE_MINUTES = cdk.Duration.minutes(5)


@dataclass(frozen=True)
class UpdatePolicy:
    """A deployment guardrail. Blue/green (all but rolling) starts a second fleet, which takes twice the quota.

    Alarms watch both fleets. One that is in ALARM in any wait, or an instance that does not start, takes all requests
    back to the old instances.
    """

    strategy: Literal["ALL_AT_ONCE", "CANARY", "LINEAR", "ROLLING"] = "ALL_AT_ONCE"
    """All requests at once, first those of a canary, in equal steps, or by replacing instances batch by batch."""
    rollback_alarms: Sequence[cloudwatch.IAlarm] = ()
    """Alarms that take an update back; up to 10. They name the endpoint by its literal name, as they are made first."""
    batch_percent: int = 25
    """Size of the canary, of a linear step or of a rolling batch, in percent of the instances."""
    batch_instances: int | None = None
    """The same as a number of instances, in place of `batch_percent`."""
    wait: cdk.Duration = _FIVE_MINUTES
    """Time after each batch, up to 1 hour."""
    bake: cdk.Duration = _FIVE_MINUTES
    """Time after the last batch, before the old fleet is stopped, up to 1 hour. A rolling update waits `wait`."""
    maximum: cdk.Duration | None = None
    """Time for the whole deployment, 10 minutes to 8 hours. Default: SageMaker's."""

    def deployment_config(
        self, scope: Construct, *, instances: tuple[int, int]
    ) -> sagemaker.CfnEndpoint.DeploymentConfigProperty:
        """The endpoint's DeploymentConfig, for an endpoint of so many instances at least and at most."""
        with PropsCheck(scope, "Update") as check:
            self._check(check, *instances)
        cfn, maximum = sagemaker.CfnEndpoint, self.maximum.to_seconds() if self.maximum else None
        wait = self.wait.to_seconds()
        size = cfn.CapacitySizeProperty(
            type="INSTANCE_COUNT" if self.batch_instances else "CAPACITY_PERCENT",
            value=self.batch_instances or self.batch_percent,
        )
        if self.strategy == "ROLLING":
            rolling, blue_green = (
                cfn.RollingUpdatePolicyProperty(
                    maximum_batch_size=size, wait_interval_in_seconds=wait, maximum_execution_timeout_in_seconds=maximum
                ),
                None,
            )
        else:
            rolling, blue_green = (
                None,
                cfn.BlueGreenUpdatePolicyProperty(
                    traffic_routing_configuration=cfn.TrafficRoutingConfigProperty(
                        type=self.strategy,
                        canary_size=size if self.strategy == "CANARY" else None,
                        linear_step_size=size if self.strategy == "LINEAR" else None,
                        wait_interval_in_seconds=wait,
                    ),
                    termination_wait_in_seconds=self.bake.to_seconds(),
                    maximum_execution_timeout_in_seconds=maximum,
                ),
            )
        alarms = [cfn.AlarmProperty(alarm_name=one.alarm_name) for one in self.rollback_alarms]
        return cfn.DeploymentConfigProperty(
            auto_rollback_configuration=cfn.AutoRollbackConfigProperty(alarms=alarms) if alarms else None,
            blue_green_update_policy=blue_green,
            rolling_update_policy=rolling,
        )

    def _check(self, check: PropsCheck, fewest: int, most: int) -> None:
        check.between("rollback_alarms (count)", len(self.rollback_alarms), 0, _MAX_ALARMS)
        check.seconds_between("wait", self.wait, 0, _MAX_WAIT_S)
        check.seconds_between("bake", self.bake, 0, _MAX_WAIT_S)
        if self.maximum is not None:
            check.seconds_between("maximum", self.maximum, *_EXECUTION_S)
        if self.strategy == "ALL_AT_ONCE":
            return
        low, high = _BATCH_PERCENT[self.strategy]
        check.between("batch_percent", self.batch_percent, low, high)
        if fewest < 2:
            reason = "is a part of the instances, of which there may be one"
            check.reject("strategy", self.strategy, reason, "use ALL_AT_ONCE, or two instances or more")
        elif self.batch_instances is not None:
            check.between("batch_instances", self.batch_instances, ceil(most * low / 100), fewest * high // 100)
