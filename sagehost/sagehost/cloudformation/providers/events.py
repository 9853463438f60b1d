"""EventBridge: rules on the default bus, and their targets."""

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import (
    Props,
    Provider,
    Resource,
    Setting,
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


PROVIDERS = (
    Provider(
        "AWS::Events::Rule",
        put_with="put_rule",
        find_with="describe_rule",
        sends="Name Description EventPattern RoleArn ScheduleExpression State",
        name="Name",
        settings=(Setting(frozenset(["Targets"]), _targets, removed_first=True),),
        attributes={"Arn": "arn:{partition}:events:{region}:{account}:rule/{id}"},
    ),
)
