"""EventBridge: rules on the default bus, and their targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Absent, Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import api, arn, by, names, parameter, tags


def _targets(context: Context, rule: str, new: Props, old: Props) -> None:
    wanted, present = ({one["Id"]: one for one in side.get("Targets") or []} for side in (new, old))
    if gone := sorted(present.keys() - wanted.keys()):
        _whole(context, "remove_targets", {"Rule": rule, "Ids": gone})
    if changed := [one for key, one in wanted.items() if one != present.get(key)]:
        _whole(context, "put_targets", {"Rule": rule, "Targets": changed})


def _whole(context: Context, operation: str, parameters: Props) -> None:
    """An operation on several targets, which may refuse some of them and yet be answered with success."""
    for entry in context.call("events", operation, parameters).get("FailedEntries", []):
        raise ResourceFailure(f"Target {entry['TargetId']}: {entry['ErrorMessage']} ({entry['ErrorCode']})")


_RULE = api(
    "events",
    create="put_rule",
    update="put_rule",
    delete="delete_rule",
    sends="Name Description EventPattern RoleArn ScheduleExpression State",
    name="Name",
    longest_name=64,
    identify=parameter("Name"),
    handle=by("Name"),
    facets=(
        Facet(names("Targets"), _targets),
        tags("events", lambda context, rule: {"ResourceARN": context.arn("events", f"rule/{rule}")}),
    ),
    attributes={"Arn": arn("events", "rule/")},
    system_tags=True,
)


def _create(context: Context, properties: Props) -> str:
    """PutRule would overwrite a rule of this name that somebody else has made."""
    if name := properties.get("Name"):
        try:
            context.call("events", "describe_rule", {"Name": name})
        except Absent:
            return _RULE.create(context, properties)
        raise ResourceFailure(f"Resource of type 'AWS::Events::Rule' with identifier '{name}' already exists.")
    return _RULE.create(context, properties)


def _delete(context: Context, rule: str, properties: Props) -> None:
    _targets(context, rule, {}, properties)
    _RULE.delete(context, rule, properties)


RULE = replace(_RULE, create=_create, delete=_delete)

PROVIDERS: Mapping[str, Provider] = {"AWS::Events::Rule": RULE}
