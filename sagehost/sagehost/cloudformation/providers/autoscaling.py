"""Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers.base import Context, Props, Provider
from sagehost.cloudformation.providers.calls import answer, api, itself, tags
from sagehost.cloudformation.values import Json

_TARGET = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def _target(_: str, properties: Props) -> dict[str, Json]:
    return {key: properties[key] for key in _TARGET}


def _arn(context: Context, physical_id: str) -> dict[str, Json]:
    """Application Auto Scaling names targets by an ARN that only it knows."""
    named = dict(zip(_TARGET, physical_id.split("|"), strict=True))
    wanted = {"ResourceIds": [named.pop("ResourceId")], **named}
    found = context.call("application-autoscaling", "describe_scalable_targets", wanted)
    return {"ResourceARN": found["ScalableTargets"][0]["ScalableTargetARN"]}


SCALABLE_TARGET = api(
    "application-autoscaling",
    create="register_scalable_target",
    update="register_scalable_target",
    delete="deregister_scalable_target",
    sends="ResourceId ScalableDimension ServiceNamespace MinCapacity MaxCapacity RoleARN SuspendedState",
    identify=lambda _, sent: "|".join(str(sent[key]) for key in _TARGET),
    handle=_target,
    facets=(tags("application-autoscaling", _arn, mapping=True),),
    attributes={"Id": itself},
)


def _target_of(parameters: Props) -> dict[str, Json]:
    """A policy names its target either by three properties or by the target's physical id, which joins them."""
    if "ScalingTargetId" in parameters:
        return dict(zip(_TARGET, parameters["ScalingTargetId"].split("|"), strict=True))
    return {key: parameters[key] for key in _TARGET}


def _policy_parameters(_: Context, parameters: dict[str, Json]) -> dict[str, Json]:
    rest = {key: value for key, value in parameters.items() if key != "ScalingTargetId"}
    return {**rest, **_target_of(parameters)}


def _policy(arn: str, properties: Props) -> dict[str, Json]:
    return {"PolicyName": arn.rsplit("policyName/", 1)[1], **_target_of(properties)}


SCALING_POLICY = api(
    "application-autoscaling",
    create="put_scaling_policy",
    update="put_scaling_policy",
    delete="delete_scaling_policy",
    sends="PolicyName PolicyType ResourceId ScalableDimension ServiceNamespace ScalingTargetId "
    "TargetTrackingScalingPolicyConfiguration StepScalingPolicyConfiguration",
    name="PolicyName",
    within="ScalingTargetId ResourceId ScalableDimension ServiceNamespace",
    longest_name=256,
    adapt=_policy_parameters,
    identify=answer("PolicyARN"),
    handle=_policy,
    attributes={"Arn": itself},
)

PROVIDERS: Mapping[str, Provider] = {
    "AWS::ApplicationAutoScaling::ScalableTarget": SCALABLE_TARGET,
    "AWS::ApplicationAutoScaling::ScalingPolicy": SCALING_POLICY,
}
