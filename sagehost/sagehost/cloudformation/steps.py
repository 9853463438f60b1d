"""What is done to single resources, with an event for each change of their state."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from sagehost.cloudformation.desired import Desired, resource_of
from sagehost.cloudformation.errors import ResourceFailure, ValidationError
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.store import Created, Deployed, Replaced, Stack
from sagehost.cloudformation.template import dependants_first
from sagehost.cloudformation.values import Json
from sagehost.hosting.settings import HostingSettings

LOG = logging.getLogger(__name__)

DEFECT = "Internal error of the embedded AWS"
"""Begins the status reasons that are the fault of this program."""


class Failed(Exception):
    """The operation cannot go on; the text is the stack's status reason."""


def reason(error: Exception) -> str:
    """A resource's status reason."""
    if isinstance(error, ValidationError):
        return str(error.message)
    if isinstance(error, ResourceFailure):
        return str(error)
    LOG.error("provider failed", exc_info=error)
    return f"{DEFECT}: {type(error).__name__}: {error}"


def create(
    stack: Stack, desired: Desired, logical_id: str, properties: Mapping[str, Json], verb: str = "CREATE"
) -> Deployed:
    """Create a resource; it is in the journal from the moment it exists. `verb` is UPDATE for a replacement."""
    resource_type = desired.target.template.resources[logical_id]["Type"]
    provider = PROVIDERS[resource_type]
    physical_id = ""

    def event(status: str, reason: str | None = None) -> None:
        stack.event(logical_id, physical_id, resource_type, f"{verb}_{status}", reason, properties)

    if verb == "CREATE":
        event("IN_PROGRESS")
    try:
        physical_id = provider.create(resource_of(stack, desired.deployed(logical_id, "", properties)), properties)
        event("IN_PROGRESS", "Resource creation Initiated")
        provider.configure(resource_of(stack, desired.deployed(logical_id, physical_id, properties)), properties, {})
    except Exception as error:
        event("FAILED", reason(error))
        if physical_id:
            partial = replace(desired.deployed(logical_id, physical_id, properties), failed=True)
            stack.journal.append(Created(partial))
            stack.resources.setdefault(logical_id, partial)
        raise Failed(f"The following resource(s) failed to {verb.lower()}: [{logical_id}]. ") from error
    event("COMPLETE")
    return desired.deployed(logical_id, physical_id, properties)


def configure(stack: Stack, before: Deployed, after: Deployed) -> None:
    """Change a resource in place."""
    provider = PROVIDERS[after.type]
    names = (after.logical_id, after.physical_id, after.type)
    stack.event(*names, "UPDATE_IN_PROGRESS", properties=after.properties)
    try:
        provider.configure(resource_of(stack, after), after.properties, before.properties)
    except Exception as error:
        stack.event(*names, "UPDATE_FAILED", reason(error), after.properties)
        raise Failed(f"The following resource(s) failed to update: [{after.logical_id}]. ") from error
    stack.event(*names, "UPDATE_COMPLETE", properties=after.properties)


def delete(stack: Stack, resource: Deployed, policy: str, until: float = 0) -> bool:
    """Delete a resource unless its policy keeps it; what others depend on, by tries `until` then. Whether it worked."""
    names = (resource.logical_id, resource.physical_id, resource.type)
    if policy == "Retain":
        stack.event(*names, "DELETE_SKIPPED", properties=resource.properties)
        return True
    stack.event(*names, "DELETE_IN_PROGRESS", properties=resource.properties)
    while True:
        try:
            PROVIDERS[resource.type].remove(resource_of(stack, resource), resource.properties)
            break
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the resource's status reason
            if "DependencyViolation" not in str(error) or time.monotonic() > until:
                stack.event(*names, "DELETE_FAILED", reason(error), resource.properties)
                return False
        time.sleep(0.1)
    stack.event(*names, "DELETE_COMPLETE", properties=resource.properties)
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


def recreate(stack: Stack, step: Replaced) -> Deployed:
    """Bring back a resource that had to be deleted before its replacement could be created."""
    before = step.before
    if step.after != before:
        delete(stack, step.after, "Delete")
    stack.event(before.logical_id, "", before.type, "CREATE_IN_PROGRESS", properties=before.properties)
    try:
        physical_id = PROVIDERS[before.type].create(resource_of(stack, before), before.properties)
        made = replace(before, physical_id=physical_id)
        PROVIDERS[before.type].configure(resource_of(stack, made), before.properties, {})
    except Exception as error:
        stack.event(before.logical_id, "", before.type, "CREATE_FAILED", reason(error), before.properties)
        raise Failed(f"The following resource(s) failed to create: [{before.logical_id}]. ") from error
    stack.event(before.logical_id, physical_id, before.type, "CREATE_COMPLETE", properties=before.properties)
    return replace(before, physical_id=physical_id)
