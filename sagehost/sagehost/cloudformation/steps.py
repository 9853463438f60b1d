"""What is done to single resources, with an event for each change of their state."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.store import Deployed, Stack, Step
from sagehost.cloudformation.target_state import resource_of
from sagehost.cloudformation.template import dependants_first
from sagehost.cloudformation.values import Json
from sagehost.hosting.settings import HostingSettings

LOG = logging.getLogger(__name__)

DEFECT = "Internal error of the embedded AWS"
"""Begins the status reasons that are the fault of this program."""


class OperationError(Exception):
    """The operation on the stack cannot go on; the text is the stack's status reason."""


def failed_to(verb: str, *logical_ids: str) -> str:
    """The stack's status reason when resources fail."""
    return f"The following resource(s) failed to {verb.lower()}: [{', '.join(logical_ids)}]. "


def fail(stack: Stack, resource: Deployed, verb: str, error: Exception) -> OperationError:
    """Record that a resource has failed; gives what the operation ends with."""
    reason = str(getattr(error, "message", error))
    if not isinstance(error, ValidationError | ResourceFailure):
        LOG.error("provider failed", exc_info=error)
        reason = f"{DEFECT}: {type(error).__name__}: {error}"
    stack.event(resource, f"{verb}_FAILED", reason)
    return OperationError(failed_to(verb, resource.logical_id))


def create(stack: Stack, wanted: Deployed, verb: str = "CREATE") -> Deployed:
    """Create a resource; it is in the journal from the moment it exists. `verb` is UPDATE for a replacement."""
    provider, made = PROVIDERS[wanted.type], replace(wanted, physical_id="")
    if verb == "CREATE":
        stack.event(made, "CREATE_IN_PROGRESS")
    try:
        made = replace(made, physical_id=provider.create(resource_of(stack, made), made.properties))
        stack.event(made, f"{verb}_IN_PROGRESS", "Resource creation Initiated")
        provider.configure(resource_of(stack, made), made.properties, {})
    except Exception as error:
        if made.physical_id:
            reached = error.reached if isinstance(error, ResourceFailure) else made.properties
            partial = replace(made, properties=reached, failed=True)
            stack.journal.append(Step(None, partial))
            stack.resources.setdefault(made.logical_id, partial)
        raise fail(stack, made, verb, error) from error
    stack.event(made, f"{verb}_COMPLETE")
    return made


def import_existing(stack: Stack, wanted: Deployed, untagged: Mapping[str, Json]) -> Deployed:
    """Take over a resource that exists. It keeps its properties, and gets the tags of the stack, as on AWS."""
    made = replace(wanted, physical_id="", imported=True)
    stack.event(made, "IMPORT_IN_PROGRESS", "Resource import started.")
    try:
        made = replace(made, physical_id=PROVIDERS[made.type].find(resource_of(stack, made), made.properties))
    except ResourceFailure as error:
        raise fail(stack, made, "IMPORT", error) from error
    stack.resources[made.logical_id] = made
    stack.journal.append(Step(None, made))
    stack.event(made, "IMPORT_COMPLETE", "Resource import completed.")
    reason = "Apply stack-level tags to imported resource if applicable."
    configure(stack, replace(made, properties=untagged), made, reason)
    return made


def configure(stack: Stack, before: Deployed, after: Deployed, reason: str | None = None) -> None:
    """Change a resource in place, which is the last step of the journal."""
    stack.event(after, "UPDATE_IN_PROGRESS", reason)
    try:
        PROVIDERS[after.type].configure(resource_of(stack, after), after.properties, before.properties)
    except Exception as error:
        if isinstance(error, ResourceFailure):
            after = stack.resources[after.logical_id] = replace(after, properties=error.reached)
            stack.journal[-1] = replace(stack.journal[-1], after=after)
        raise fail(stack, after, "UPDATE", error) from error
    stack.event(after, "UPDATE_COMPLETE")


def delete(stack: Stack, resource: Deployed, policy: str = "Delete", until: float = 0) -> bool:
    """Delete a resource unless its policy keeps it; what others depend on, by tries `until` then. Whether it worked."""
    if policy == "Retain":
        stack.event(resource, "DELETE_SKIPPED")
        return True
    stack.event(resource, "DELETE_IN_PROGRESS")
    while True:
        try:
            PROVIDERS[resource.type].remove(resource_of(stack, resource), resource.properties)
            break
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the resource's status reason
            if "DependencyViolation" not in str(error) or time.monotonic() > until:
                fail(stack, resource, "DELETE", error)
                return False
        time.sleep(0.1)
    stack.event(resource, "DELETE_COMPLETE")
    return True


def delete_all(stack: Stack, resources: Iterable[Deployed], policy: Callable[[Deployed], str]) -> list[Deployed]:
    """Delete resources, dependants first, and give those left: the failed ones and what they depend on."""
    # AWS deletes side by side, here one waits for the other: so all of them have this time together.
    until = time.monotonic() + HostingSettings.from_environment().dependency_seconds
    remaining = list(resources)
    order = dependants_first({one.logical_id: one.dependencies for one in remaining})
    stuck: list[Deployed] = []
    for resource in sorted(remaining, key=lambda one: order.index(one.logical_id)):
        blocked = any(resource.logical_id in other.dependencies for other in stuck)
        if blocked or not delete(stack, resource, policy(resource), until):
            stuck.append(resource)
    return stuck
