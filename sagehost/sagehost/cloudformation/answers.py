"""Answers of the API: stacks, events and change sets as botocore's model names their parts."""

import json
from collections.abc import Iterator
from typing import Any

from sagehost.cloudformation.parameters import HIDDEN
from sagehost.cloudformation.requests import needed_capabilities
from sagehost.cloudformation.store import ChangeSet, Stack, Target
from sagehost.cloudformation.template import Template

Answer = dict[str, Any]
"""moto shows of it what the operation's answer has, and no value that is None."""


def _parameters(target: Target) -> list[Answer]:
    declared, shown = target.template.section("Parameters"), target.parameters
    return [
        {
            "ParameterKey": name,
            "ParameterValue": HIDDEN if str(declared[name].get("NoEcho")).lower() == "true" else value,
            "ResolvedValue": shown.resolved.get(name),
        }
        for name, value in shown.given.items()
    ]


def _asked(target: Target) -> Answer:
    """What was asked of a stack or a change set."""
    return {
        "TemplateDescription": target.template.document.get("Description"),
        "Parameters": _parameters(target),
        "Capabilities": target.capabilities,
        "RoleARN": target.role_arn,
        "Tags": [{"Key": key, "Value": value} for key, value in target.tags.items()],
    }


def stack(one: Stack) -> Answer:
    """A stack, for DescribeStacks and ListStacks."""
    last = [*one.operations][:-3:-1]  # how far back AWS goes is not known: two are a failure and its roll-back
    asked = _asked(one.target) if one.target else {"Parameters": [], "Capabilities": [], "Tags": []}
    return {
        **asked,
        "StackId": one.id,
        "StackName": one.name,
        "Description": asked.get("TemplateDescription"),
        "CreationTime": one.created,
        "LastUpdatedTime": one.updated,
        "DeletionTime": one.deleted,
        "RollbackConfiguration": {},
        "StackStatus": one.status,
        "StackStatusReason": one.reason,
        "DisableRollback": one.disable_rollback,
        "NotificationARNs": [],
        "Outputs": one.outputs,
        "EnableTerminationProtection": one.termination_protection,
        "DriftInformation": {"StackDriftStatus": "NOT_CHECKED"},
        "LastOperations": [{"OperationId": key, "OperationType": one.operations[key]} for key in last],
    }


def operation_events(of: Stack, operation: str | None) -> Iterator[Answer]:
    """The events of one or of all operations of a stack for DescribeEvents, newest first."""
    for event in (one for one in reversed(of.events) if operation in (None, one["OperationId"])):
        status, own = event["ResourceStatus"], event["PhysicalResourceId"] == of.id
        ended = "FAILED" if status.endswith("FAILED") else "SUCCEEDED"
        yield {
            **event,
            "OperationType": of.operations[event["OperationId"]],
            "OperationStatus": ("IN_PROGRESS" if status.endswith("IN_PROGRESS") else ended) if own else None,
            "EventType": "STACK_EVENT" if own else "PROVISIONING_ERROR" if ended == "FAILED" else "PROGRESS_EVENT",
        }


def failures(of: Stack, change_set: ChangeSet) -> list[Answer]:
    """What stands against a change set, for DescribeEvents."""
    return [
        {
            "EventId": f"{change_set.id}/{number}",
            "StackId": of.id,
            "OperationType": "CREATE_CHANGESET",
            "EventType": "VALIDATION_ERROR",
            "LogicalResourceId": problem.logical_id,
            "ResourceType": problem.type,
            "Timestamp": change_set.created,
            "ValidationName": "PROPERTY_VALIDATION",
            "ValidationStatus": "FAILED",
            "ValidationFailureMode": "FAIL",
            "ValidationStatusReason": problem.message,
            "ValidationPath": problem.path,
        }
        for number, problem in enumerate(change_set.problems)
    ]


def resources(of: Stack) -> list[Answer]:
    """The resources of a stack, for every operation that shows them. Deleted ones only of a deleted stack."""
    return [one for one in list(of.latest.values()) if one["ResourceStatus"] != "DELETE_COMPLETE" or of.deleted]


def change_set(of: Stack, one: ChangeSet) -> Answer:
    """A change set, for DescribeChangeSet and ListChangeSets."""
    return {
        **_asked(one.target),
        "ChangeSetName": one.name,
        "ChangeSetId": one.id,
        "StackId": of.id,
        "StackName": of.name,
        "Description": one.description,
        "CreationTime": one.created,
        "ExecutionStatus": "UNAVAILABLE" if one.reason else "AVAILABLE",
        "Status": "FAILED" if one.reason else "CREATE_COMPLETE",
        "StatusReason": one.reason or None,
        "NotificationARNs": [],
        "RollbackConfiguration": {},
        "Changes": one.changes,
        "IncludeNestedStacks": False,
    }


def template_summary(template: Template) -> Answer:
    """What a template declares, for GetTemplateSummary and ValidateTemplate."""
    capabilities = needed_capabilities(template)
    return {
        "Description": template.document.get("Description"),
        "Parameters": [
            {
                "ParameterKey": name,
                "DefaultValue": None if "Default" not in one else str(one["Default"]),
                "ParameterType": one.get("Type", "String"),
                "NoEcho": str(one.get("NoEcho")).lower() == "true",
                "Description": one.get("Description"),
                "ParameterConstraints": {"AllowedValues": one.get("AllowedValues")},
            }
            for name, one in template.section("Parameters").items()
        ],
        "Capabilities": capabilities or None,
        "CapabilitiesReason": "The following resource(s) require capabilities: IAM resources" if capabilities else None,
        "ResourceTypes": sorted({resource["Type"] for resource in template.resources.values()}),
        "Version": template.document.get("AWSTemplateFormatVersion"),
        "Metadata": json.dumps(template.document["Metadata"]) if "Metadata" in template.document else None,
        "DeclaredTransforms": [],
    }
