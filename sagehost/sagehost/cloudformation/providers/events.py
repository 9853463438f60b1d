"""EventBridge: the targets of rules."""

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Resource, changes


def targets(resource: Resource, new: Props, old: Props) -> None:
    """Adds and removes a rule's targets."""
    gone, added = changes("Targets", new, old)
    for operation, changed in (
        ("remove_targets", {"Ids": sorted({one["Id"] for one in gone} - {one["Id"] for one in added})}),
        ("put_targets", {"Targets": added}),
    ):
        if any(changed.values()):
            response = resource.call(operation, Rule=resource.id, **changed)
            for entry in response.get("FailedEntries", []):  # the call succeeds although some are refused
                raise ResourceFailure(f"Target {entry['TargetId']}: {entry['ErrorMessage']} ({entry['ErrorCode']})")
