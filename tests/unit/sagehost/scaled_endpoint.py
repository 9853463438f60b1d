"""An endpoint whose variant is a scalable target, in an account of its own, on a clock that the test sets."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.cloudwatch.models import CloudWatchBackend, cloudwatch_backends

from sagehost import hosting, moto_app, scaling
from sagehost.clock import CLOCK, INSTANT
from sagehost.containers import Launch, Response
from sagehost.hosting.endpoints import HOSTED, EndpointRecord
from sagehost.hosting.fleet import EndpointKey
from sagehost.hosting.settings import HostingSettings
from tests.unit.fresh_accounts import fresh_account

START = datetime(2027, 1, 4, tzinfo=UTC)  # a Monday
REGION = "us-east-1"
IMAGE = f"111122223333.dkr.ecr.{REGION}.amazonaws.com/test/quiet:1"
TRUST = {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
HIGH_RESOLUTION = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}


class Quiet:
    """A container that answers nothing. A variant's environment can keep it from starting."""

    def __init__(self, launch: Launch) -> None:
        pass

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        return 200, {}, b""


class ScaledEndpoint:
    """The endpoint `e`; its updates take `update_s` seconds of the clock. At speed `INSTANT` only the test acts."""

    def __init__(self, instances: int = 1, update_s: float = 60.0, speed: float = INSTANT, **bounds: Any) -> None:
        self.account = fresh_account()
        self.starts = True
        self._update_s = 0.0
        self._pending: list[tuple[float, Callable[[], None]]] = []
        self.sagemaker, self.scaling, self.cloudwatch, iam = (
            moto_app.client(one, self.account, REGION)
            for one in ("sagemaker", "application-autoscaling", "cloudwatch", "iam")
        )
        start = lambda launch: Quiet(launch) if self.starts else None  # noqa: E731
        hosting.install(HostingSettings(speed=speed), containers={"test/*": lambda: start}, later=self._later)
        self.set(0)
        document = json.dumps({"Version": "2012-10-17", "Statement": [TRUST]})
        role = iam.create_role(RoleName="execution", AssumeRolePolicyDocument=document)["Role"]["Arn"]
        self.sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": IMAGE})
        variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.g5.2xlarge"}
        variants = [{**variant, "InitialInstanceCount": instances}]
        self.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
        self.sagemaker.create_endpoint(EndpointName="e", EndpointConfigName="c")
        self.set(0)
        self._update_s = update_s
        self.register(**{"MinCapacity": 1, "MaxCapacity": 8, **bounds})

    def _later(self, work: Callable[[], None]) -> None:
        self._pending.append((CLOCK.seconds() + self.duration(), work))

    def duration(self) -> float:
        """What the update that has just begun takes."""
        return self._update_s

    def end_updates(self, seconds: float) -> None:
        """Ends the updates that are due at seconds from the start."""
        now = START.timestamp() + seconds + 1  # the clock ran on while the update was asked for
        for one in [one for one in self._pending if one[0] <= now]:
            self._pending.remove(one)
            one[1]()

    def set(self, seconds: float) -> None:
        """Sets the clock to seconds from the start, with the updates that end until then."""
        self.end_updates(seconds)
        CLOCK.set(START + timedelta(seconds=seconds))

    def register(self, **settings: Any) -> None:
        """Registers or changes the scalable target."""
        self.scaling.register_scalable_target(**TARGET, **settings)

    def put_policy(self, metric: str = HIGH_RESOLUTION, **configuration: Any) -> Any:
        """Puts a policy with a target of 10 and cool-downs of 60 and 300 s."""
        defaults = {"TargetValue": 10.0, "ScaleOutCooldown": 60, "ScaleInCooldown": 300}
        return self.scaling.put_scaling_policy(
            **TARGET,
            PolicyName="load",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
                **defaults,
                **configuration,
            },
        )

    def alarms(self) -> list[Any]:
        """The policy's alarms, high and low, as CloudWatch describes them."""
        [policy] = self.scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
        names = [one["AlarmName"] for one in policy["Alarms"]]
        described = self.cloudwatch.describe_alarms(AlarmNames=names)["MetricAlarms"]
        return sorted(described, key=lambda one: names.index(one["AlarmName"]))

    @property
    def metrics(self) -> CloudWatchBackend:
        """CloudWatch's store of the account."""
        store: CloudWatchBackend = cloudwatch_backends[self.account][REGION]
        return store

    def alarm(self, which: str, metric: float) -> None:
        """The policy's alarm, `High` or `Low`, invokes its action, with this value of the metric."""
        [name] = [one["AlarmName"] for one in self.alarms() if f"-Alarm{which}-" in one["AlarmName"]]
        scaling.act(self.metrics.alarms[name], metric, CLOCK.seconds())

    @property
    def record(self) -> EndpointRecord:
        """The endpoint's record."""
        return HOSTED.records[EndpointKey(self.account, REGION, "e")]

    @property
    def count(self) -> tuple[int, int]:
        """Instances in service, and desired."""
        [variant] = self.sagemaker.describe_endpoint(EndpointName="e")["ProductionVariants"]
        return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]

    def activities(self, **asked: Any) -> list[Any]:
        """Its scaling activities, the newest first."""
        found = self.scaling.describe_scaling_activities(ServiceNamespace="sagemaker", **asked)
        activities: list[Any] = found["ScalingActivities"]
        return activities

    def schedule(
        self, name: str, expression: str, low: int | None = None, high: int | None = None, **more: Any
    ) -> None:
        """Puts a scheduled action that sets these bounds."""
        bounds = {"MinCapacity": low, "MaxCapacity": high}
        self.scaling.put_scheduled_action(
            **TARGET,
            ScheduledActionName=name,
            Schedule=expression,
            ScalableTargetAction={key: value for key, value in bounds.items() if value is not None},
            **more,
        )
