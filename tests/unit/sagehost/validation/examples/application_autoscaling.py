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
        "another dimension": ({"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}, {}),
    },
)

SAGEMAKER_METRIC: Json = {"PredefinedMetricType": "SageMakerVariantConcurrentRequestsPerModelHighResolution"}


def _tracking(metric: Json | None = None, **more: Any) -> Json:
    predefined = {"PredefinedMetricSpecification": {**SAGEMAKER_METRIC, **(metric or {})}}
    return {"TargetTrackingScalingPolicyConfiguration": {"TargetValue": 1, **predefined, **more}}


TRACK: Json = {**TARGET, "PolicyName": "invocations", "PolicyType": "TargetTrackingScaling", **_tracking()}
STEPS: Json = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [{"ScalingAdjustment": 1}]}
BY_STEPS: Json = {"TargetTrackingScalingPolicyConfiguration": None, "StepScalingPolicyConfiguration": STEPS}
CUSTOM: Json = {"MetricName": "m", "Namespace": "n", "Statistic": "Sum"}
INVOCATIONS: Json = {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"}
SERVERLESS: Json = {"PredefinedMetricType": "SageMakerVariantProvisionedConcurrencyUtilization"}
UNNAMED: Json = {"PredefinedMetricSpecification": None}
EXAMPLES |= {
    name: ("PutScalingPolicy", base, refused, accepted)
    for name, (base, refused, accepted) in {
        "policy without target": (TRACK, NONE, {}),
        "second policy of a metric": (
            TRACK,
            {**_tracking(INVOCATIONS), "PolicyName": "another"},
            _tracking(INVOCATIONS),
        ),
        "second policy": (TRACK, {"PolicyName": "another"}, {}),
        "configuration of the other type": (TRACK, {"StepScalingPolicyConfiguration": STEPS}, {}),
        "steps": (TRACK, {**BY_STEPS, "PolicyType": "StepScaling"}, {}),
        "two metrics": (TRACK, _tracking(CustomizedMetricSpecification=CUSTOM), {}),
        "own metric": (TRACK, _tracking(CustomizedMetricSpecification=CUSTOM, **UNNAMED), {}),
        "metric of serverless variants": (TRACK, _tracking(SERVERLESS), {}),
        "metric of another service": (
            TRACK,
            _tracking({"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}),
            {},
        ),
        "label": (TRACK, _tracking({"ResourceLabel": "x"}), {}),
        "target of 0": (TRACK, _tracking(TargetValue=0), _tracking(TargetValue=0.5)),
        "negative cooldown": (TRACK, _tracking(ScaleInCooldown=-1), _tracking(ScaleInCooldown=1)),
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
        "new action without bounds": (
            {"ScalableTargetAction": None, "ScheduledActionName": "new"},
            {"ScalableTargetAction": None},
        ),
        "scheduled minimum above maximum": (
            {"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 1}},
            {"ScalableTargetAction": {"MinCapacity": 2, "MaxCapacity": 2}},
        ),
        "schedule": ({"Schedule": "rate(1 minutes)"}, {"Schedule": "at(2030-01-01T00:00:00)"}),
        "day that does not exist": ({"Schedule": "at(2030-02-30T00:00:00)"}, {"Schedule": "at(2030-02-28T00:00:00)"}),
        "rate": ({"Schedule": "rate(1 day)"}, {"Schedule": "cron(30 8 ? * SAT,SUN *)"}),
        "hour 24": ({"Schedule": "cron(0 24 * * ? *)"}, {"Schedule": "cron(0 23 ? * SUN-THU *)"}),
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
    "activities of a dimension": (
        "DescribeScalingActivities",
        TARGET,
        {"ResourceId": None},
        {"ResourceId": None, "ScalableDimension": None},
    ),
    "most activities": ("DescribeScalingActivities", TARGET, {"MaxResults": 51}, {"MaxResults": 50}),
    "no activities": ("DescribeScalingActivities", TARGET, {"MaxResults": 0}, {"MaxResults": 1}),
}

EXAMPLES |= {"tags of no target": ("ListTagsForResource", {}, {"ResourceARN": "arn:aws:none"}, None)}
