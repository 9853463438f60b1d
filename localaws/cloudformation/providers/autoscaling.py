"""Application Auto Scaling."""

from __future__ import annotations

from collections.abc import Mapping

from localaws.cloudformation.providers.base import Context, Facet, Props, Provider
from localaws.cloudformation.providers.calls import answer, api, as_mapping, itself, names
from localaws.cloudformation.values import Json

_TARGET = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def _target(_: str, properties: Props) -> dict[str, Json]:
    return {key: properties[key] for key in _TARGET}


def _tags(context: Context, _: str, new: Props, old: Props) -> None:
    """Application Auto Scaling names targets by an ARN that only it knows."""
    found = context.call(
        "application-autoscaling",
        "describe_scalable_targets",
        {
            "ServiceNamespace": new["ServiceNamespace"],
            "ResourceIds": [new["ResourceId"]],
            "ScalableDimension": new["ScalableDimension"],
        },
    )
    named = {"ResourceARN": found["ScalableTargets"][0]["ScalableTargetARN"]}
    wanted, present = as_mapping(new.get("Tags")), as_mapping(old.get("Tags"))
    if gone := sorted(set(present) - set(wanted)):
        context.call("application-autoscaling", "untag_resource", {**named, "TagKeys": gone})
    if wanted:
        context.call("application-autoscaling", "tag_resource", {**named, "Tags": wanted})


def _scheduled_actions(context: Context, _: str, new: Props, old: Props) -> None:
    wanted, present = (
        {action["ScheduledActionName"]: action for action in side.get("ScheduledActions") or []} for side in (new, old)
    )
    for name in present.keys() - wanted.keys():
        context.call(
            "application-autoscaling", "delete_scheduled_action", {**_target("", old), "ScheduledActionName": name}
        )
    for name, action in wanted.items():
        if present.get(name) != action:
            context.call("application-autoscaling", "put_scheduled_action", {**_target("", new), **action})


SCALABLE_TARGET = api(
    "application-autoscaling",
    create="register_scalable_target",
    update="register_scalable_target",
    delete="deregister_scalable_target",
    sends="ResourceId ScalableDimension ServiceNamespace MinCapacity MaxCapacity RoleARN SuspendedState",
    identify=lambda _, sent: "|".join(str(sent[key]) for key in _TARGET),
    handle=_target,
    facets=(Facet(names("ScheduledActions"), _scheduled_actions), Facet(names("Tags"), _tags)),
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
