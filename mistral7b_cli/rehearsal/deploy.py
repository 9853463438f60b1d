"""CloudFormation actions: change sets, made and executed in the account of the action's role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

import io
import time
import zipfile
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from mistral7b_cli.rehearsal.run import ActionFailedError, Run, Session

_POLL_S = 0.2
_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
"""In the reason of a change set that would change nothing: no failure of an action."""


def run_cloudformation(run: Run) -> None:
    """Does what the action's mode says, and waits until CloudFormation has done it."""
    who = run.role()
    try:
        {"CHANGE_SET_REPLACE": _replace, "CHANGE_SET_EXECUTE": _execute}[run.configuration("ActionMode")](run, who)
    except ClientError as error:
        raise ActionFailedError(error.response["Error"]["Message"]) from error


def _replace(run: Run, who: Session) -> None:
    _require(run, who, "cloudformation:CreateChangeSet")
    who.require("iam:PassRole", run.configuration("RoleArn"))
    client, named = who.client("cloudformation", run.declared.region), _named(run)
    stack = _stack(client, run)
    if stack is not None:
        client.delete_change_set(**named)  # none of this name is as good
    is_new = stack is None or stack["StackStatus"] == "REVIEW_IN_PROGRESS"
    capabilities = [one.strip() for one in run.configuration("Capabilities").split(",") if one.strip()]
    client.create_change_set(
        **named,
        ChangeSetType="CREATE" if is_new else "UPDATE",
        TemplateURL=_uploaded_template(run, who),
        Capabilities=capabilities,
        RoleARN=run.configuration("RoleArn"),
    )
    made = _settled(run, lambda: client.describe_change_set(**named), "Status")
    reason = made.get("StatusReason", "")
    if made["Status"] != "CREATE_COMPLETE" and not _is_unchanged(made):
        raise ActionFailedError(f"Change set {named['ChangeSetName']} is {made['Status']}: {reason}")


def _execute(run: Run, who: Session) -> None:
    _require(run, who, "cloudformation:ExecuteChangeSet")
    client, named = who.client("cloudformation", run.declared.region), _named(run)
    if not _is_unchanged(client.describe_change_set(**named)):
        client.execute_change_set(**named)
        stack = _settled(run, lambda: _stack(client, run), "StackStatus")
        if stack is None or stack["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            raise _failure(run, who, stack or {})
    run.execution.deployed[run.declared.stage] = run.execution.commit


def _require(run: Run, who: Session, action: str) -> None:
    stack = f"stack/{run.configuration('StackName')}/*"
    who.require(action, f"arn:aws:cloudformation:{run.declared.region}:{who.account}:{stack}")


def _named(run: Run) -> dict[str, str]:
    return {"StackName": run.configuration("StackName"), "ChangeSetName": run.configuration("ChangeSetName")}


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


def _stack(client: Any, run: Run) -> Any:
    try:
        return client.describe_stacks(StackName=run.configuration("StackName"))["Stacks"][0]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise


def _settled(run: Run, look: Callable[[], Any], member: str) -> Any:
    """What `look` shows once nothing is being done to it."""
    while (found := look()) and found[member].endswith(("_PENDING", "_IN_PROGRESS")):
        if run.cancelled.is_set():
            raise ActionFailedError("The rehearsal was interrupted")
        time.sleep(_POLL_S)
    return found


def _is_unchanged(change_set: dict[str, Any]) -> bool:
    return any(part in change_set.get("StatusReason", "") for part in _UNCHANGED)


def _failure(run: Run, who: Session, stack: dict[str, Any]) -> ActionFailedError:
    """Why the stack is not as wanted: its first resource that failed. What else failed is in the action's log."""
    name, status = run.configuration("StackName"), stack.get("StackStatus")
    events = run.cloud.client("cloudformation", who.account, run.declared.region).describe_stack_events(StackName=name)
    failed = [
        (event["LogicalResourceId"], event["ResourceStatus"], event.get("ResourceStatusReason", ""))
        for event in reversed(events["StackEvents"])
        if event["ResourceStatus"].endswith("_FAILED")
        and (run.shown.started is None or event["Timestamp"] >= run.shown.started)
    ]
    if run.shown.log is not None:
        run.shown.log.write_text("".join(f"{name} {status}: {reason}\n" for name, status, reason in failed))
    first = next((f" The first resource that failed: {name}: {reason}" for name, _, reason in failed), "")
    return ActionFailedError(f"Stack {name} is {status}: {stack.get('StackStatusReason', 'no reason given')}{first}")
