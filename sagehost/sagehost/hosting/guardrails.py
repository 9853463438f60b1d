"""How an update moves an endpoint's requests to the new instances, and which alarms stop it.

SageMaker developer guide, "Deployment guardrails". AWS publishes neither how parts of instances are rounded nor the
FailureReason of a rollback. Here parts are rounded up, and the reason names the alarm.
"""

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from moto.cloudwatch.models import cloudwatch_backends

from sagehost.clock import CLOCK
from sagehost.hosting.deployment import DeploymentError, VariantPlan
from sagehost.hosting.fleet import EndpointKey
from sagehost.moto_app import STATE
from sagehost.roles import AccessDenied, check_action

_LOOK_S = 0.05  # between two looks at the alarms


@dataclass(frozen=True)
class Stage:
    """A part of the new instances serves for some time, while the alarms are watched."""

    share: Fraction
    seconds: int
    parameter: str  # the member of DeploymentConfig that says how long

    def message(self, instances: int) -> str:
        """The StatusMessage of DescribeEndpoint, while so many instances serve."""
        capacity = f"{'full' if self.share == 1 else 'canary'} capacity of {instances} instance(s)"
        return f"Baking for {self.seconds} seconds ({self.parameter}) with traffic enabled on {capacity}."


class Guardrails:
    """A DeploymentConfig, for an update to a number of instances."""

    def __init__(self, config: Mapping[str, Any] | None, instances: int) -> None:
        config = config or {}
        rolling, blue_green = config.get("RollingUpdatePolicy"), config.get("BlueGreenUpdatePolicy") or {}
        policy = rolling or blue_green
        routing = rolling or blue_green.get("TrafficRoutingConfiguration") or {}
        sizes = [routing[one] for one in ("MaximumBatchSize", "CanarySize", "LinearStepSize") if one in routing]
        kind, value = (sizes[0]["Type"], sizes[0]["Value"]) if sizes else ("INSTANCE_COUNT", instances)
        batch = value if kind == "INSTANCE_COUNT" else math.ceil(instances * value / 100)
        self._alarms = [one["AlarmName"] for one in (config.get("AutoRollbackConfiguration") or {}).get("Alarms", ())]
        self.is_rolling = rolling is not None
        self._limit_s = policy.get("MaximumExecutionTimeoutInSeconds", math.inf)
        wait, bake = routing.get("WaitIntervalInSeconds", 0), policy.get("TerminationWaitInSeconds", 0)
        parts = [*range(batch, instances, batch)][: 1 if routing.get("Type") == "CANARY" else None]
        interval, last = "WaitIntervalInSeconds", "WaitIntervalInSeconds" if rolling else "TerminationWaitInSeconds"
        self._stages = [Stage(Fraction(part, instances), wait, interval) for part in parts]
        self._stages.append(Stage(Fraction(1), wait if rolling else bake, last))

    def started(self, plans: Sequence[VariantPlan], stage: Stage | None = None) -> list[VariantPlan]:
        """What a stage, by default the first, starts in all: a second fleet, or, of a rolling update, its share."""
        share = (stage or self._stages[0]).share if self.is_rolling else 1
        return [plan.scaled(None, math.ceil(plan.instances * share)) for plan in plans]

    def stages(self) -> Iterator[Stage]:
        """The stages, in turn. Raises DeploymentError where the waits take longer than the whole deployment may."""
        waited = 0
        for stage in self._stages:
            waited += stage.seconds
            if waited > self._limit_s:
                raise DeploymentError(f"The deployment exceeded MaximumExecutionTimeoutInSeconds, {self._limit_s}.")
            yield stage

    def watch(self, key: EndpointKey, role: str, seconds: float) -> None:
        """Wait so long, by the clock, while no alarm is in ALARM. Raises DeploymentError: one is, or none may look."""
        arn = f"arn:{role.split(':')[1]}:cloudwatch:{key.region}:{key.account}:alarm:"
        until = time.monotonic() + CLOCK.real(seconds)
        while True:
            with STATE:
                states = cloudwatch_backends[key.account][key.region].alarms
                for name in self._alarms:
                    try:
                        check_action(role, "cloudwatch:DescribeAlarms", arn + name, {})
                    except AccessDenied as error:
                        raise DeploymentError(error.message) from None
                    if name in states and states[name].state_value == "ALARM":
                        raise DeploymentError(f"The deployment was rolled back: alarm {name} is in ALARM state.")
            if (left := until - time.monotonic()) <= 0:
                return
            time.sleep(min(_LOOK_S, left))
