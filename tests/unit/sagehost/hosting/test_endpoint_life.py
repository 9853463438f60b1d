"""The life of an endpoint: creating, serving, failing, going."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from sagehost.clock import CLOCK, Clock
from sagehost.hosting.endpoints import HOSTED, after

if TYPE_CHECKING:
    from tests.unit.sagehost.hosting.conftest import HeldWork

Ask = Callable[..., Any]
Settled = Callable[[str], dict[str, Any]]


def test_an_endpoint_is_creating_before_it_is_in_service(
    sagemaker: Any, make_config: Callable[..., str], ask: Ask, work: HeldWork
) -> None:
    work.hold()
    sagemaker.create_endpoint(EndpointName="young", EndpointConfigName=make_config())
    described = sagemaker.describe_endpoint(EndpointName="young")
    assert described["EndpointStatus"] == "Creating"
    assert described["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    with pytest.raises(ClientError, match="Endpoint young of account 111122223333 not found"):
        ask("young", "Hello")
    work.release()
    assert sagemaker.describe_endpoint(EndpointName="young")["EndpointStatus"] == "InService"
    assert ask("young", "Hello")


def test_a_running_endpoint_is_described_as_it_was_configured(
    sagemaker: Any, make_model: Callable[..., str], make_config: Callable[..., str], settled: Settled
) -> None:
    routing = {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    config = make_config(InitialInstanceCount=2, InitialVariantWeight=0.5, RoutingConfig=routing)
    arn = sagemaker.create_endpoint(EndpointName="described", EndpointConfigName=config)["EndpointArn"]
    described = settled("described")
    assert arn == described["EndpointArn"] == "arn:aws:sagemaker:us-east-1:111122223333:endpoint/described"
    assert described["EndpointConfigName"] == config
    (variant,) = described["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (0.5, 0.5)
    assert variant["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}
    assert "FailureReason" not in described


def test_the_times_of_an_endpoint_are_those_of_the_clock(sagemaker: Any, make_config: Callable[..., str]) -> None:
    noon = datetime(2031, 1, 1, 12, tzinfo=UTC)
    CLOCK.set(noon)
    try:
        sagemaker.create_endpoint(EndpointName="dated", EndpointConfigName=make_config())
        described = sagemaker.describe_endpoint(EndpointName="dated")
    finally:
        CLOCK.set(datetime.now(UTC))
    for time_ in (described["CreationTime"], described["LastModifiedTime"]):
        assert noon <= time_ < noon + timedelta(minutes=1)


def test_an_endpoint_whose_container_does_not_start_fails_with_the_reason_in_the_log(
    deploy: Callable[..., str], settled: Settled, ask: Ask, log: Callable[[str], list[str]]
) -> None:
    name = deploy({"MAX_BATCH_PREFILL_TOKENS": "4096"})
    described = settled(name)
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"] == (
        "The primary container for production variant AllTraffic did not pass the ping health check. "
        "Please check CloudWatch logs for this endpoint."
    )
    assert log(name)[-1] == (
        'Error: ArgumentValidation("`max_batch_prefill_tokens` must be >= `max_input_length`. Given: 4096 and 8191")'
    )
    with pytest.raises(ClientError, match="not found"):
        ask(name, "Hello")


@pytest.mark.parametrize(("given", "seconds"), [({"ContainerStartupHealthCheckTimeoutInSeconds": 900}, 900), ({}, 480)])
def test_a_container_that_does_not_start_fails_its_endpoint_after_the_health_checks_time_out(
    *,
    sagemaker: Any,
    make_config: Callable[..., str],
    settled: Settled,
    log: Callable[[str], list[str]],
    monkeypatch: pytest.MonkeyPatch,
    given: dict[str, int],
    seconds: int,
) -> None:
    name, waits, logged = f"unhealthy-{seconds}", list[float](), list[str]()

    def real(wait: float) -> float:
        waits.append(wait)
        logged.extend(log(name))
        assert sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "Creating"
        return 0.0

    clock = Clock()
    monkeypatch.setattr(clock, "real", real)
    monkeypatch.setattr(HOSTED, "clock", clock)
    sagemaker.create_endpoint(
        EndpointName=name, EndpointConfigName=make_config({"MAX_BATCH_PREFILL_TOKENS": "4096"}, **given)
    )
    assert "did not pass the ping health check" in settled(name)["FailureReason"]
    assert waits == [seconds]
    assert logged[-1].startswith("Error: ArgumentValidation")


def test_more_shards_than_the_instance_has_gpus_fail_the_endpoint(
    deploy: Callable[..., str], settled: Settled, log: Callable[[str], list[str]]
) -> None:
    name = deploy({"SM_NUM_GPUS": "4"})
    assert settled(name)["EndpointStatus"] == "Failed"
    assert any("invalid device ordinal" in line for line in log(name))
    assert log(name)[-1] == "Error: ShardCannotStart"


def test_as_many_shards_as_the_instance_has_gpus_start(deploy: Callable[..., str], settled: Settled) -> None:
    assert settled(deploy({"SM_NUM_GPUS": "4"}, InstanceType="ml.g5.12xlarge"))["EndpointStatus"] == "InService"


def test_an_image_without_an_installed_container_fails_the_endpoint_and_the_log_says_why(
    deploy: Callable[..., str], make_model: Callable[..., str], settled: Settled, log: Callable[[str], list[str]]
) -> None:
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/mine:1"
    name = deploy(ModelName=make_model(PrimaryContainer={"Image": image}))
    described = settled(name)
    assert described["EndpointStatus"] == "Failed"
    reason = (
        "No installed package answers for images of repository mine "
        "(entry point group sagehost.containers; installed: huggingface-pytorch-tgi-inference, test/*)."
    )
    assert described["FailureReason"] == (
        f"The primary container for production variant AllTraffic cannot run in the embedded AWS: {image}. {reason}"
    )
    assert log(name) == [reason]


def test_a_container_that_crashes_at_its_start_fails_the_endpoint_with_its_traceback_in_the_log(
    deploy: Callable[..., str], make_model: Callable[..., str], settled: Settled, log: Callable[[str], list[str]]
) -> None:
    image = "111122223333.dkr.ecr.us-east-1.amazonaws.com/test/headers:1"
    name = deploy(ModelName=make_model(PrimaryContainer={"Image": image}))
    assert "did not pass the ping health check" in settled(name)["FailureReason"]
    assert log(name)[-1] == "KeyError: 'STATUS'"


def test_the_settings_a_container_runs_with_are_in_its_log(
    deploy: Callable[..., str], log: Callable[[str], list[str]]
) -> None:
    first, *_, last = log(deploy({"MAX_CONCURRENT_REQUESTS": "4"}))
    assert "max_concurrent_requests: 4, max_best_of: 2" in first
    assert "no weights are loaded" in last


def test_a_log_is_dated_by_the_clock(deploy: Callable[..., str], client: Callable[..., Any], sagemaker: Any) -> None:
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    CLOCK.set(tomorrow)
    try:
        name = deploy()
        events = client("logs").filter_log_events(logGroupName=f"/aws/sagemaker/Endpoints/{name}")["events"]
        assert events[0]["timestamp"] >= int(tomorrow.timestamp() * 1000)
        sagemaker.delete_endpoint(EndpointName=name)
    finally:
        CLOCK.set(datetime.now(UTC))


def test_a_deleted_endpoint_is_gone(sagemaker: Any, deploy: Callable[..., str], ask: Ask) -> None:
    name = deploy()
    sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match=f"Could not find endpoint .*{name}"):
        sagemaker.describe_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="not found"):
        ask(name, "Hello")


def test_a_failed_endpoint_can_be_deleted_and_nothing_else(
    sagemaker: Any, deploy: Callable[..., str], make_config: Callable[..., str]
) -> None:
    name = deploy({"HF_MODEL_ID": ""})
    with pytest.raises(ClientError, match="Cannot update failed endpoint"):
        sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=make_config())
    with pytest.raises(ClientError, match="Cannot update failed endpoint"):
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 2}]
        )
    sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="Could not find endpoint"):
        sagemaker.describe_endpoint(EndpointName=name)


def test_an_endpoint_cannot_be_touched_while_it_is_created(
    sagemaker: Any, make_config: Callable[..., str], work: HeldWork
) -> None:
    config = make_config()
    work.hold()
    arn = sagemaker.create_endpoint(EndpointName="growing", EndpointConfigName=config)["EndpointArn"]
    message = f'Cannot update in-progress endpoint "{arn}".'
    with pytest.raises(ClientError, match=message):
        sagemaker.delete_endpoint(EndpointName="growing")
    with pytest.raises(ClientError, match=message):
        sagemaker.update_endpoint(EndpointName="growing", EndpointConfigName=config)
    work.release()
    sagemaker.delete_endpoint(EndpointName="growing")


def test_a_name_cannot_be_taken_twice(sagemaker: Any, endpoint: str, make_config: Callable[..., str]) -> None:
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint "arn:aws:.*{endpoint}"'):
        sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=make_config())


def test_names_that_differ_in_case_are_one_for_creating_and_two_for_invoking(
    sagemaker: Any, endpoint: str, make_config: Callable[..., str], ask: Ask
) -> None:
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint "arn:aws:.*{endpoint}"'):
        sagemaker.create_endpoint(EndpointName=endpoint.upper(), EndpointConfigName=make_config())
    with pytest.raises(ClientError, match="not found"):
        ask(endpoint.upper(), "Hello")


def test_an_endpoint_needs_its_configuration(sagemaker: Any) -> None:
    with pytest.raises(ClientError, match=r'Could not find endpoint configuration "arn:aws:.*endpoint-config/none"'):
        sagemaker.create_endpoint(EndpointName="orphan", EndpointConfigName="none")


def test_an_endpoint_needs_the_model_of_its_configuration(
    sagemaker: Any, make_model: Callable[..., str], make_config: Callable[..., str]
) -> None:
    model = make_model()
    config = make_config(ModelName=model)
    sagemaker.delete_model(ModelName=model)
    with pytest.raises(ClientError, match=f'Could not find model "arn:aws:.*model/{model}"'):
        sagemaker.create_endpoint(EndpointName="headless", EndpointConfigName=config)


@pytest.mark.parametrize("operation", ["delete_endpoint", "update_endpoint"])
def test_an_endpoint_that_is_not_there_is_not_found(sagemaker: Any, operation: str) -> None:
    more = {"EndpointConfigName": "c"} if operation == "update_endpoint" else {}
    with pytest.raises(ClientError, match=r'Could not find endpoint "arn:aws:.*endpoint/nowhere"'):
        getattr(sagemaker, operation)(EndpointName="nowhere", **more)


def test_what_is_done_later_is_done_once_after_the_time() -> None:
    done = threading.Event()
    started = time.monotonic()
    after(0.05)(done.set)
    assert not done.is_set()
    assert done.wait(timeout=5)
    assert time.monotonic() - started >= 0.05
