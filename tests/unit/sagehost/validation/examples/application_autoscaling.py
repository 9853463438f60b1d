"""Application Auto Scaling."""

from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json, of

EXAMPLES: Cases = {}

VARIANT = "sagemaker:variant:DesiredInstanceCount"
NEW: Json = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": VARIANT,
    "ResourceId": "endpoint/endpoint/variant/main",
}
TARGET: Json = {**NEW, "ResourceId": "endpoint/scaled/variant/main"}
NONE: Json = {"ResourceId": "endpoint/none/variant/main"}
REGISTER: Json = {**NEW, "MinCapacity": 1, "MaxCapacity": 2}
EXAMPLES |= of(
    "RegisterScalableTarget",
    REGISTER,
    {
        "unknown variant": (NONE, {}),
        "new target without maximum": ({"MaxCapacity": None}, {**TARGET, "MaxCapacity": None}),
        "minimum above maximum": ({"MinCapacity": 3}, {"MinCapacity": 2}),
        "minimum above the present maximum": ({**TARGET, "MinCapacity": 5, "MaxCapacity": None}, {**TARGET}),
        "no instance": ({"MinCapacity": 0}, {}),
    },
)

SAGEMAKER_METRIC: Json = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}


def _tracking(metric: Json | None = None, **more: Any) -> Json:
    predefined = {"PredefinedMetricSpecification": {**SAGEMAKER_METRIC, **(metric or {})}}
    return {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1, **predefined, **more}}


def _step(*bounds: tuple[float | None, float | None], **more: Any) -> Json:
    names = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    steps = [
        {"ScalingAdjustment": 1, **{name: one for name, one in zip(names, pair, strict=True) if one is not None}}
        for pair in bounds
    ]
    return {"StepScalingPolicyConfiguration": {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": steps, **more}}


TRACK: Json = {**TARGET, "PolicyName": "requests", "PolicyType": "TargetTrackingScaling", **_tracking()}
STEPS: Json = {**TARGET, "PolicyName": "steps", "PolicyType": "StepScaling", **_step((0, None))}
CUSTOM: Json = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum"}
INVOCATIONS: Json = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
UNNAMED: Json = {"PredefinedMetricSpecification": None}
EXAMPLES |= {
    name: ("PutScalingPolicy", base, refused, accepted)
    for name, (base, refused, accepted) in {
        "policy without target": (TRACK, NONE, {}),
        "second policy of a metric": (
            TRACK,
            _tracking(INVOCATIONS),
            {**_tracking(INVOCATIONS), "PolicyName": "invocations"},
        ),
        "21 steps": (STEPS, _step(*((one, one + 1) for one in range(20)), (20, None)), {}),
        "configuration of the other type": (STEPS, _tracking(), {}),
        "two metrics": (
            TRACK,
            _tracking(CustomizedMetricSpecification=CUSTOM),
            _tracking(CustomizedMetricSpecification=CUSTOM, **UNNAMED),
        ),
        "metric of another service": (
            TRACK,
            _tracking({"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}),
            {},
        ),
        "label": (TRACK, _tracking({"ResourceLabel": "x"}), {}),
        "negative cooldown": (TRACK, _tracking(ScaleInCooldown=-1), _tracking(ScaleInCooldown=1)),
        "no steps": (STEPS, _step(), {}),
        "overlapping steps": (STEPS, _step((0, 2), (1, None)), _step((0, 1), (1, None))),
        "gap between steps": (STEPS, _step((0, 1), (2, None)), _step((None, -5), (-5, 0))),
        "bounded steps": (STEPS, _step((0, 1)), {}),
    }.items()
}

ACTION: Json = {
    **TARGET,
    "ScheduledActionName": "a",
    "Schedule": "cron(0 8 * * ? *)",
    "ScalableTargetAction": {"MinCapacity": 1},
}
EXAMPLES |= of(
    "PutScheduledAction",
    ACTION,
    {
        "scheduled without target": (NONE, {}),
        "no capacity": ({"ScalableTargetAction": {}}, {}),
        "scheduled minimum above maximum": (
            {"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}},
            {"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 2}},
        ),
        "schedule": ({"Schedule": "rate(1 minutes)"}, {"Schedule": "at(2030-01-01T00:00:00)"}),
        "no schedule": ({"Schedule": None, "ScheduledActionName": "new"}, {"Schedule": None}),
        "time zone": ({"Timezone": "Mars/Olympus"}, {"Timezone": "Europe/Berlin"}),
    },
) | {
    "unknown target of an action": ("DeleteScheduledAction", {**TARGET, "ScheduledActionName": "a"}, NONE, {}),
    "unknown action": (
        "DeleteScheduledAction",
        {**TARGET, "ScheduledActionName": "a"},
        {"ScheduledActionName": "new"},
        {},
    ),
}
