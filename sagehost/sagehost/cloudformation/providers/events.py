"""EventBridge: rules on the default bus, and their targets."""

from __future__ import annotations

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    ResourceNotFound,
    Setting,
    already_exists,
    changes,
)


def _targets(resource: Resource, new: Props, old: Props) -> None:
    gone, added = changes("Targets", new, old)
    for operation, targets in (
        ("remove_targets", {"Ids": sorted({one["Id"] for one in gone} - {one["Id"] for one in added})}),
        ("put_targets", {"Targets": added}),
    ):
        if any(targets.values()):
            response = resource.call(operation, Rule=resource.id, **targets)
            for entry in response.get("FailedEntries", []):  # the call succeeds although some are refused
                raise ResourceFailure(f"Target {entry['TargetId']}: {entry['ErrorMessage']} ({entry['ErrorCode']})")


class _Rule(Provider):
    def create(self, resource: Resource, properties: Props) -> str:
        """PutRule would overwrite a rule of this name that somebody else has made."""
        if name := properties.get("Name"):
            try:
                resource.call("describe_rule", Name=name)
            except ResourceNotFound:
                return super().create(resource, properties)
            raise already_exists(self.type, name)
        return super().create(resource, properties)


PROVIDERS = (
    _Rule(
        "AWS::Events::Rule",
        create_with="put_rule",
        update_with="put_rule",
        sends="Name Description EventPattern RoleArn ScheduleExpression State",
        name="Name",
        settings=(Setting(frozenset(["Targets"]), _targets, removed_first=True),),
        attributes={"Arn": "arn:{partition}:events:{region}:{account}:rule/{id}"},
    ),
)
