"""CloudFormation actions: change sets, made and executed in the account of the action's role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

import io
import zipfile
from collections.abc import Mapping
from typing import Any

from mistral7b.operate.stacks import StackState, find
from mistral7b_cli.rehearsal.run import ActionFailedError, Run, Session

_POLL_S = 0.2
_UNDER_WAY = ("_PENDING", "_IN_PROGRESS")
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
"""In the StatusReason of a change set without changes, which does not fail the action."""


def run_cloudformation(run: Run) -> None:
    """Does what the action's mode says, and waits until CloudFormation has done it."""
    action, perform = _MODES[run.configuration("ActionMode")]
    who, stack, region = run.role(), run.configuration("StackName"), run.declared.region
    who.require(f"cloudformation:{action}", f"arn:aws:cloudformation:{region}:{who.account}:stack/{stack}/*")
    named = {"StackName": stack, "ChangeSetName": run.configuration("ChangeSetName")}
    perform(run, who, who.client("cloudformation", region), named)


def _replace(run: Run, who: Session, client: Any, named: Mapping[str, str]) -> None:
    who.require("iam:PassRole", run.configuration("RoleArn"))
    stack = _stack(client, run)
    if stack is not None:
        client.delete_change_set(**named)  # succeeds if there is none of this name
    is_new = stack is None or stack.status == "REVIEW_IN_PROGRESS"
    client.create_change_set(
        **named,
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateURL=_uploaded_template(run, who),
        Capabilities=[one.strip() for one in run.configuration("Capabilities").split(",") if one.strip()],
        RoleARN=run.configuration("RoleArn"),
    )
    while (made := client.describe_change_set(**named))["Status"].endswith(_UNDER_WAY):
        _pause(run)
    if made["Status"] != "CREATE_COMPLETE" and not _is_unchanged(made):
        reason = made.get("StatusReason", "")
        raise ActionFailedError(f"Change set {named['ChangeSetName']} is {made['Status']}: {reason}")


def _execute(run: Run, who: Session, client: Any, named: Mapping[str, str]) -> None:
    if not _is_unchanged(client.describe_change_set(**named)):
        client.execute_change_set(**named)
        while (stack := _stack(client, run)) and stack.status.endswith(_UNDER_WAY):
            _pause(run)
        if stack is None or stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise _failure(run, who, stack)
    run.execution.deployed[run.declared.stage] = run.execution.commit


_MODES = {"CHANGE_SET_REPLACE": ("CreateChangeSet", _replace), "CHANGE_SET_EXECUTE": ("ExecuteChangeSet", _execute)}
"""By ActionMode: the operation that the action's role needs, and what does it."""


def _uploaded_template(run: Run, who: Session) -> str:
    """The template's address in the artifact store: CloudFormation takes up to 51,200 bytes in the request.

    The action's role only reads there. How CodePipeline hands the template on is not documented.
    """
    artifact, _, path = run.configuration("TemplatePath").partition("::")
    with zipfile.ZipFile(io.BytesIO(run.get(artifact, who))) as archive:
        if path not in archive.namelist():
            raise ActionFailedError(f"File [{path}] does not exist in artifact [{artifact}]")
        stored = run.put("template", archive.read(path), run.pipeline_role)
    return f"https://{stored.bucket}.s3.{stored.region}.amazonaws.com/{stored.key}"


def _stack(client: Any, run: Run) -> StackState | None:
    return next(find(client, [run.configuration("StackName")]), None)


def _pause(run: Run) -> None:
    if run.cancelled.wait(_POLL_S):
        raise ActionFailedError("The rehearsal was interrupted")


def _is_unchanged(change_set: dict[str, Any]) -> bool:
    return any(part in change_set.get("StatusReason", "") for part in _UNCHANGED)


def _failure(run: Run, who: Session, stack: StackState | None) -> ActionFailedError:
    """Why the stack was not deployed: its first resource that failed. All that failed are in the action's log."""
    name = run.configuration("StackName")
    client, since = run.cloud.client("cloudformation", who.account, run.declared.region), run.shown.started
    failed = [
        f"{event['LogicalResourceId']} {event['ResourceStatus']}: {event.get('ResourceStatusReason', '')}"
        for event in reversed(client.describe_stack_events(StackName=name)["StackEvents"])
        if event["ResourceStatus"].endswith("_FAILED") and (since is None or event["Timestamp"] >= since)
    ]
    if run.shown.log is not None:
        run.shown.log.write_text("".join(f"{one}\n" for one in failed))
    first = f" The first resource that failed: {failed[0]}" if failed else ""
    status, reason = (stack.status, stack.reason) if stack else ("deleted", "")
    return ActionFailedError(f"Stack {name} is {status}: {reason or 'no reason given'}{first}")
