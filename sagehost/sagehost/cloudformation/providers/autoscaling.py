"""Application Auto Scaling."""

from sagehost.cloudformation.providers.provider import Props, Provider, Resource
from sagehost.cloudformation.values import Json

_TARGET = ("ResourceId", "ScalableDimension", "ServiceNamespace")


def _target(physical_id: str) -> dict[str, Json]:
    return dict(zip(_TARGET, physical_id.split("|"), strict=True))


def apply_schedule(resource: Resource, new: Props, old: Props) -> None:
    """Brings a target's scheduled actions from the old ones to the new."""
    target = {key: {**old, **new}[key] for key in _TARGET}
    wanted, present = (
        {one["ScheduledActionName"]: one for one in properties.get("ScheduledActions", [])} for properties in (new, old)
    )
    for name in present.keys() - wanted:
        resource.call("delete_scheduled_action", ScheduledActionName=name, **target)
    for name, action in wanted.items():
        if present.get(name) != action:
            resource.call("put_scheduled_action", **action, **target)


class ScalingPolicy(Provider):
    """How they scale."""

    def parameters(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """A policy names its target by three properties, or by the target's physical id, which joins them."""
        parameters = super().parameters(resource, properties)
        return (
            parameters | _target(parameters.pop("ScalingTargetId")) if "ScalingTargetId" in parameters else parameters
        )

    def handle_of(self, resource: Resource, properties: Props) -> dict[str, Json]:
        """The policy's name and its target."""
        target = _target(properties["ScalingTargetId"]) if "ScalingTargetId" in properties else properties
        return {"PolicyName": resource.id.rsplit("policyName/", 1)[1], **{key: target[key] for key in _TARGET}}
