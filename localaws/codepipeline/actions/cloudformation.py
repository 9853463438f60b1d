"""CloudFormation: change sets, in the account of the action's role.

https://docs.aws.amazon.com/codepipeline/latest/userguide/action-reference-CloudFormation.html
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from botocore.exceptions import ClientError

from localaws.codepipeline.actions.deployment import Deployment, failed
from localaws.codepipeline.execution import ActionRun, Outcome
from localaws.codepipeline.pipeline import ActionFailed

_UNCHANGED = ("didn't contain changes", "No updates are to be performed")
"""In the reason of a change set that would change nothing: no failure of an action."""

_CREATED_BY_CHANGE_SET = (None, "REVIEW_IN_PROGRESS")


def perform(run: ActionRun) -> Outcome:
    """Do what the action's mode says, and wait until CloudFormation has done it."""
    with tempfile.TemporaryDirectory(prefix="localaws-deployment-") as folder:
        deployment = Deployment(run, Path(folder))
        try:
            return _MODES[deployment.configuration["ActionMode"]](deployment)
        except ClientError as error:
            raise ActionFailed("JobFailed", error.response["Error"]["Message"]) from error


def _replace_change_set(deployment: Deployment) -> Outcome:
    deployment.require("cloudformation:CreateChangeSet")
    client, named = deployment.client, deployment.change_set
    status = deployment.status()
    if status is not None:
        client.delete_change_set(**named)  # none of this name is as good
    kind = "CREATE" if status in _CREATED_BY_CHANGE_SET else "UPDATE"
    change_set = client.create_change_set(**named, ChangeSetType=kind, **deployment.template())
    described = deployment.wait(
        lambda: client.describe_change_set(**named),
        lambda found: str(found["Status"]).endswith(("_PENDING", "_IN_PROGRESS")),
    )
    deployment.run.external_id = change_set["Id"]
    reason = described.get("StatusReason", "")
    if described["Status"] != "CREATE_COMPLETE" and not _unchanged(reason):
        raise failed(f"Change set {named['ChangeSetName']} is {described['Status']}: {reason}")
    return Outcome(summary=reason or f"Change set {named['ChangeSetName']} was created.")


def _execute_change_set(deployment: Deployment) -> Outcome:
    deployment.require("cloudformation:ExecuteChangeSet")
    named = deployment.change_set
    described = deployment.client.describe_change_set(**named)
    if _unchanged(described.get("StatusReason", "")):
        return deployment.done(f"Change set {named['ChangeSetName']} holds no changes to execute.")
    deployment.client.execute_change_set(**named)
    return deployment.settled()


def _unchanged(reason: str) -> bool:
    return any(part in reason for part in _UNCHANGED)


_MODES: Mapping[str, Callable[[Deployment], Outcome]] = {
    "CHANGE_SET_REPLACE": _replace_change_set,
    "CHANGE_SET_EXECUTE": _execute_change_set,
}
