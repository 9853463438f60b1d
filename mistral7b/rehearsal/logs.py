"""What an action printed, and why it failed: from where a person would look it up on AWS."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.rehearsal.execution import Action

TAIL_LINES = 30
"""How much of a log is shown."""

Client = Callable[[str, str, str], Any]
"""Makes a boto3 client of a service, an account and a region."""

# What CodeBuild writes of itself between the lines of the commands.
_CODEBUILDS_OWN = "[Container] "


def log_tail(client: Client, account: str, region: str, build_id: str, lines: int = TAIL_LINES) -> list[str]:
    """The last lines of a build's log in CloudWatch Logs; none before it has one.

    Args:
        client: makes clients.
        account: the pipeline's account.
        region: the build's region.
        build_id: as CodePipeline gives it in externalExecutionId: `project:uuid`.
        lines: at most so many.
    """
    try:
        builds = client("codebuild", account, region).batch_get_builds(ids=[build_id])["builds"]
        logs = builds[0].get("logs", {}) if builds else {}
        if "groupName" not in logs or "streamName" not in logs:
            return []
        events = client("logs", account, region).get_log_events(
            logGroupName=logs["groupName"], logStreamName=logs["streamName"], limit=lines, startFromHead=False
        )["events"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":  # nothing is printed yet
            return []
        raise
    return [line for event in events for line in event["message"].rstrip("\n").split("\n")][-lines:]


def doing(tail: list[str]) -> str:
    """The last line that a command printed, of those that say something."""
    said = [line.strip() for line in of_commands(tail) if line.strip()]
    return said[-1] if said else ""


def of_commands(tail: list[str]) -> list[str]:
    """The lines that commands printed, without CodeBuild's own."""
    return [line for line in tail if not line.startswith(_CODEBUILDS_OWN)]


def evidence(client: Client, account: str, region: str, action: Action, lines: int = TAIL_LINES) -> list[str]:
    """What shows why an action ended as it did: the end of its log, or the events of its stack that failed.

    Args:
        client: makes clients.
        account: the pipeline's account.
        region: the pipeline's region, for actions that name none.
        action: what ended.
        lines: of a log, at most so many.
    """
    if action.configuration.get("StackName"):
        return _stack_failures(client, account, action.region or region, action)
    if action.category in ("Build", "Test") and action.external_id:
        return log_tail(client, account, action.region or region, action.external_id, lines)
    return []


def _stack_failures(client: Client, account: str, region: str, action: Action) -> list[str]:
    """Events of the action's stack with a reason to fail, oldest first: the first one is the cause."""
    owner = account_of(action.role_arn) or account
    stack = action.configuration["StackName"]
    try:
        events = client("cloudformation", owner, region).describe_stack_events(StackName=stack)["StackEvents"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationError":  # it never came to be
            return []
        raise
    return [
        f"{event['LogicalResourceId']} {event['ResourceStatus']}: {event['ResourceStatusReason']}"
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED")
        and event.get("ResourceStatusReason")
        and (action.started is None or event["Timestamp"] >= action.started)
    ]


def account_of(arn: str) -> str:
    """The account of an ARN; empty where it names none."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 else ""
