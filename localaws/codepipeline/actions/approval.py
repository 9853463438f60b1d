"""Manual approvals: those who are to answer hear of it.

https://docs.aws.amazon.com/codepipeline/latest/userguide/approvals-json-format.html
"""

from __future__ import annotations

import json
from datetime import timedelta

from botocore.exceptions import ClientError

from localaws.codepipeline import identity
from localaws.codepipeline.execution import ActionRun
from localaws.codepipeline.pipeline import ActionFailed, patience


def ask(run: ActionRun) -> None:
    """Publish an approval's request to its topic, if it has one."""
    configuration = run.configuration or {}
    topic = configuration.get("NotificationArn")
    if topic is None:
        return
    who = identity.of_action(run)
    who.require("sns:Publish", topic)
    pipeline = run.execution.definition
    page = (
        f"https://console.aws.amazon.com/codesuite/codepipeline/pipelines/{pipeline.name}/view?region={pipeline.region}"
    )
    approval = {
        "pipelineName": pipeline.name,
        "stageName": run.action.stage,
        "actionName": run.action.name,
        "token": run.token,
        "expires": f"{run.started + timedelta(seconds=patience(run.action)):%Y-%m-%dT%H:%MZ}",
        "externalEntityLink": configuration.get("ExternalEntityLink"),
        "approvalReviewLink": f"{page}#/{run.action.stage}/{run.action.name}/approve/{run.token}",
        "customData": configuration.get("CustomData"),
    }
    message = {"region": pipeline.region, "consoleLink": page, "approval": approval}
    try:
        who.client("sns", topic.split(":")[3]).publish(
            TopicArn=topic,
            Subject=f"APPROVAL NEEDED: AWS CodePipeline {pipeline.name} for action {run.action.name}"[:100],
            Message=json.dumps(message),
        )
    except ClientError as error:
        raise ActionFailed("ConfigurationError", f"{topic}: {error.response['Error']['Message']}") from error
