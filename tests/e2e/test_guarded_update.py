"""Canary updates by the real CDK CLI, while requests arrive: what is lost, and where stack and endpoint end."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mistral7b.environment import load_environment
from mistral7b_stacks.app import define
from tests.e2e.conftest import DEPLOY, User, said, succeeded
from tests.variants import new_app

NAME, STACK = "mistral-7b-instruct-guarded", "mistral-7b-guarded-endpoint"
ALARM = f"{NAME}-server-errors"
BASE = {
    "region": "us-east-1",
    "auto_scaling": None,
    "instance": {"count": 4},
    "alarms": {},
    # The embedded AWS makes 4 and 1 seconds of the waits.
    "updates": {
        "strategy": "canary",
        "batch_percent": 25,
        "wait_seconds": 400,
        "bake_seconds": 100,
        "rollback_alarms": ["server_errors"],
    },
}
REFUSES = BASE | {"tgi": {"MAX_INPUT_LENGTH": 2}}
"""The new instances start, and refuse every prompt of more than two tokens."""


@pytest.fixture(scope="module")
def guarded(user: User) -> Iterator[User]:
    """A user with the environment `guarded` deployed."""
    with user.having("guarded", BASE):
        user.deploy("guarded")
        yield user


@contextmanager
def requests(user: User) -> Iterator[Counter[tuple[str, str]]]:
    """Sends some 30 requests a second for the length of a `with` block; counts by outcome and by what bakes."""
    runtime, sagemaker, ended = user.client("sagemaker-runtime"), user.client("sagemaker"), threading.Event()
    body = json.dumps({"inputs": "Once upon a time", "parameters": {"max_new_tokens": 1}})
    counts = Counter[tuple[str, str]]()

    def send() -> None:
        while not ended.is_set():
            phase = serving(sagemaker)
            try:
                runtime.invoke_endpoint(EndpointName=NAME, ContentType="application/json", Body=body)["Body"].read()
                outcome = "answered"
            except ClientError as error:
                outcome = error.response["Error"]["Code"]
            if phase == serving(sagemaker):
                counts[phase, outcome] += 1
            elif outcome != "answered":
                counts["between", outcome] += 1
            ended.wait(0.02)  # without a pause client and server take both cores for the whole deployment

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield counts
    finally:
        ended.set()
        thread.join()


def serving(sagemaker: Any) -> str:
    """How many of the new instances serve: none, a canary, or all."""
    described = sagemaker.describe_endpoint(EndpointName=NAME)
    [variant] = described.get("PendingDeploymentSummary", {}).get("ProductionVariants") or [{}]
    return {0: "none", 1: "canary", 4: "all"}[variant.get("CurrentInstanceCount", 0)]


def statuses(user: User) -> tuple[str, str, str]:
    """The stack's status, and the endpoint's with its FailureReason."""
    [stack] = user.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    endpoint = user.client("sagemaker").describe_endpoint(EndpointName=NAME)
    return stack["StackStatus"], endpoint["EndpointStatus"], endpoint.get("FailureReason", "")


def set_alarm_while(user: User, phase: str) -> threading.Thread:
    """Have the alarm go off as soon as the update is in that phase, and end as soon as the update has."""

    def act() -> None:
        sagemaker, cloudwatch = user.client("sagemaker"), user.client("cloudwatch")
        for wanted, state in (({phase}, "ALARM"), ({"none"}, "OK")):
            deadline = time.monotonic() + 60
            while serving(sagemaker) not in wanted and time.monotonic() < deadline:
                threading.Event().wait(0.05)
            if state == "ALARM":
                threading.Event().wait(2)  # for requests to reach the canary
            cloudwatch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a test")

    thread = threading.Thread(target=act)
    thread.start()
    return thread


def deploy_unchecked(user: User, container: Mapping[str, str]) -> Any:
    """`cdk deploy` with container settings that no environment file gets through the rules."""
    app = new_app(outdir=str(user.scratch / "cdk.out"))
    environment = load_environment(user.files, "guarded").model_copy(update={"compliance_packs": []})
    define(app, {"guarded": environment})
    [model] = [one for one in app.node.find_all() if getattr(one, "cfn_resource_type", "") == "AWS::SageMaker::Model"]
    for name, value in container.items():
        model.add_property_override(f"PrimaryContainer.Environment.{name}", value)  # type: ignore[attr-defined]
    app.synth()
    return user._cdk_of_assembly("deploy", "guarded/*", *DEPLOY)


def test_a_good_update_loses_no_request(guarded: User) -> None:
    guarded.write("guarded", BASE | {"tgi": {"MAX_CONCURRENT_REQUESTS": 64}})
    with requests(guarded) as counts:
        guarded.deploy("guarded")
    assert {outcome for _, outcome in counts} == {"answered"}
    assert counts["canary", "answered"] > 20
    assert counts["all", "answered"] > 5
    assert statuses(guarded) == ("UPDATE_COMPLETE", "InService", "")
    succeeded(guarded.mistral7b("smoke", "guarded"))


def test_an_alarm_during_the_canary_rolls_the_stack_back_and_only_the_canary_has_failed_requests(guarded: User) -> None:
    guarded.write("guarded", REFUSES)
    alarm = set_alarm_while(guarded, "canary")
    with requests(guarded) as counts:
        deployed = guarded.try_to_deploy("guarded")
    alarm.join()
    assert deployed.returncode == 1
    assert f"alarm {ALARM} is in ALARM state" in said(deployed)
    assert statuses(guarded) == ("UPDATE_ROLLBACK_COMPLETE", "InService", "")
    failed, answered = counts["canary", "ModelError"], counts["canary", "answered"]
    assert 0 < failed < 0.5 * (failed + answered), counts
    assert {phase for phase, outcome in counts if outcome != "answered"} <= {"canary", "between"}, counts
    smoke = guarded.mistral7b("smoke", "guarded", "--json")
    assert smoke.returncode == 1
    [check] = [one for one in json.loads(smoke.stdout)["checks"] if one["name"] == "MAX_INPUT_LENGTH"]
    assert (check["passed"], check["got"]) == (False, "8191")
    status = guarded.mistral7b("status", "guarded", "--json")
    shown = json.loads(status.stdout)
    assert (shown["stack"]["status"], shown["ready"]) == ("UPDATE_ROLLBACK_COMPLETE", False)
    assert ALARM in json.dumps(shown["events"])


def test_a_container_that_does_not_start_rolls_the_stack_back_without_a_lost_request(guarded: User) -> None:
    guarded.write("guarded", BASE)
    with requests(guarded) as counts:
        deployed = deploy_unchecked(guarded, {"MAX_INPUT_LENGTH": "8192"})
    assert deployed.returncode == 1
    assert "did not pass the ping health check" in said(deployed)
    assert statuses(guarded) == ("UPDATE_ROLLBACK_COMPLETE", "InService", "")
    assert {outcome for _, outcome in counts} == {"answered"}, counts
