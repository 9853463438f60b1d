"""Encryption of artifacts; who hears of changes of state; the time limit of approvals."""

from __future__ import annotations

import json
import queue
import time
from functools import partial

import pytest

from localaws.codebuild import runner
from localaws.codepipeline.execution import ActionRun, Execution
from localaws.codepipeline.surroundings import EmbeddedAws
from tests.unit.localaws.codepipeline.accounts import PATIENCE_S
from tests.unit.localaws.codepipeline.structures import approval, build, definition, stage
from tests.unit.localaws.codepipeline.world import Builder, World


def test_artifacts_are_encrypted_with_the_key_of_their_store(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    key = ready.client("kms").create_key()["KeyMetadata"]["Arn"]
    ready.key = key
    assert ready.begin(stage("Build", build())) == "Failed"
    assert "is not authorized to perform: kms:GenerateDataKey" in ready.error("Source")["message"]
    for role in (ready.pipeline_role, "project-role"):
        ready.allow(role, "kms:*", "s3:*", "codestar-connections:*", "codebuild:*")
    assert ready.again() == "Succeeded"
    (artifact,) = ready.outcome("Source").artifacts
    head = ready.client("s3").head_object(Bucket=artifact.bucket, Key=artifact.key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_an_alias_of_a_store_is_the_key_behind_it(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder())
    key = ready.client("kms").create_key()["KeyMetadata"]["Arn"]
    ready.client("kms").create_alias(AliasName="alias/store", TargetKeyId=key)
    ready.key = f"{key.rpartition(':')[0]}:alias/store"
    for role in (ready.pipeline_role, "project-role"):
        ready.allow(role, "kms:*", resource=key)
        ready.allow(role, "s3:*", "codestar-connections:*", "codebuild:*")
    assert ready.begin(stage("Build", build())) == "Succeeded"


def received(world: World, inbox: str) -> str:
    """The body of the one message that comes into a queue."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if messages := world.client("sqs").receive_message(QueueUrl=inbox).get("Messages"):
            (message,) = messages
            return str(message["Body"])
        time.sleep(0.02)
    pytest.fail("nothing was received")


def test_changes_of_state_are_events(ready: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "run", Builder(status="FAILED"))
    inbox = ready.client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
    arn = ready.client("sqs").get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"][
        "QueueArn"
    ]
    pattern = {
        "source": ["aws.codepipeline"],
        "detail-type": ["CodePipeline Pipeline Execution State Change"],
        "detail": {"state": ["FAILED"], "pipeline": ["pipeline"]},
    }
    ready.client("events").put_rule(Name="failures", EventPattern=json.dumps(pattern))
    ready.client("events").put_targets(Rule="failures", Targets=[{"Id": "inbox", "Arn": arn}])
    ready.begin(stage("Build", build()))
    event = json.loads(received(ready, inbox))
    assert event["detail"]["execution-id"] == ready.executions()[0]["pipelineExecutionId"]
    assert event["detail"]["state"] == "FAILED"


def test_an_approval_expires_unless_it_has_its_answer() -> None:
    gate = definition(stage("Gate", approval(), approval("Second")))
    execution = Execution(gate, ("StartPipelineExecution", ""))
    answered, waiting = (ActionRun(execution, action, ()) for action in gate.stages[1].actions)
    answered.end("Succeeded")
    expired: queue.Queue[str] = queue.Queue()
    surroundings = EmbeddedAws()
    surroundings.expire(answered, 0, partial(expired.put, "answered"))
    surroundings.expire(waiting, 0.05, partial(expired.put, "waiting"))
    assert expired.get(timeout=PATIENCE_S) == "waiting"
    assert expired.empty()
