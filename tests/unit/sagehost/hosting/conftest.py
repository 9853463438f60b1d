"""A server with SageMaker hosting over moto, in this process, and clients for it."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from functools import partial
from typing import Any

import boto3
import pytest
import uvicorn
from botocore.config import Config

from mistral7b.capacity.request import Request
from mistral7b.container import start
from sagehost import hosting
from sagehost.accounts import access_key_id
from sagehost.containers import Containers, Launch, Response, Start
from sagehost.hosting.settings import HostingSettings
from sagehost.server import create_app, listen

ACCOUNT = "111122223333"
SECRET = "a-secret-access-key"
REGION = "us-east-1"
IMAGE = (
    "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:"
    "2.0.1-tgi1.1.0-gpu-py39-cu118-ubuntu20.04"
)
JUMPSTART = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "HF_MODEL_ID": "/opt/ml/model",
    "SM_NUM_GPUS": "1",
    "MAX_INPUT_LENGTH": "8191",
    "MAX_TOTAL_TOKENS": "8192",
    "MAX_BATCH_PREFILL_TOKENS": "8191",
}
_NUMBERS = itertools.count(1)


class HeldPace:
    """A pace that a test can hold, so that requests stay in flight until it lets go."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = 0
        self._held = False
        self._broken = False
        self._gates: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    async def __call__(self, request: Request, stream: bool) -> AsyncGenerator[int, None]:
        gate = (asyncio.get_running_loop(), asyncio.Event())
        with self._changed:
            self._running += 1
            self._gates.add(gate)
            if not self._held:
                gate[1].set()
            self._changed.notify_all()
        try:
            await gate[1].wait()
            if self._broken:
                self._broken = False
                raise RuntimeError("the pace is broken, as a test wants it")
            for there in range(1, request.output_tokens + 1):
                yield there
        finally:
            with self._changed:
                self._running -= 1
                self._gates.discard(gate)
                self._changed.notify_all()

    def hold(self) -> None:
        """Let no further request have a token."""
        self._held = True

    def release(self) -> None:
        """Let every request have its tokens."""
        with self._changed:
            self._held = False
            for loop, event in self._gates:
                loop.call_soon_threadsafe(event.set)

    def break_next(self) -> None:
        """Let the next request fail before its first token."""
        self._broken = True

    def wait_until_running(self, requests: int) -> None:
        """Wait until so many requests are in flight."""
        with self._changed:
            arrived = self._changed.wait_for(lambda: self._running == requests, timeout=10)
        assert arrived, f"{self._running} requests are in flight, not {requests}"


class Headers:
    """A container that answers with the headers that it gets, and with the status of its environment."""

    def __init__(self, launch: Launch) -> None:
        self._status = int(launch.environment["STATUS"])

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        attributes = {"x-amzn-sagemaker-custom-attributes": "of the container", "x-other": "dropped"}
        return self._status, attributes, json.dumps(dict(headers)).encode()


class HeldWork:
    """Work of endpoints that a test can hold, so that they stay Creating or Updating until it lets go."""

    def __init__(self) -> None:
        self._waiting: list[Callable[[], None]] = []
        self._held = False

    def __call__(self, work: Callable[[], None]) -> None:
        if self._held:
            self._waiting.append(work)
        else:
            threading.Thread(target=work).start()

    def hold(self) -> None:
        """Let no further endpoint get on."""
        self._held = True

    def release(self) -> None:
        """Let every endpoint get on."""
        self._held = False
        waiting, self._waiting = self._waiting, []
        for work in waiting:
            work()


@pytest.fixture(scope="session")
def _work() -> HeldWork:
    return HeldWork()


@pytest.fixture
def work(_work: HeldWork) -> Iterator[HeldWork]:
    yield _work
    _work.release()


@pytest.fixture(scope="session")
def _pace() -> HeldPace:
    return HeldPace()


@pytest.fixture
def pace(_pace: HeldPace) -> Iterator[HeldPace]:
    yield _pace
    _pace.release()
    _pace.wait_until_running(0)


@pytest.fixture(scope="session")
def install(_pace: HeldPace, _work: HeldWork) -> Callable[[], None]:
    """Let endpoints be deployed with a pace and work that can be held, whatever other tests have installed."""

    def install_held() -> None:
        tgi: Start = partial(start, pace=_pace)
        containers: Containers = {"huggingface-pytorch-tgi-inference": lambda: tgi, "test/*": lambda: Headers}
        hosting.install(HostingSettings(interface_seconds=0.05), containers=containers, later=_work)

    return install_held


@pytest.fixture(autouse=True)
def _installed(install: Callable[[], None]) -> None:
    install()


@pytest.fixture(scope="session")
def url(install: Callable[[], None]) -> Iterator[str]:
    install()
    sockets = listen(0)
    server = uvicorn.Server(uvicorn.Config(create_app(SECRET), log_level="warning"))
    thread = threading.Thread(target=server.run, args=(sockets,))
    thread.start()
    yield f"http://localhost:{sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)
    assert not thread.is_alive()


@pytest.fixture(scope="session")
def client(url: str) -> Callable[..., Any]:
    """A boto3 client of a service, in an account and region; it never tries anything twice."""

    def make(service: str, account: str = ACCOUNT, region: str = REGION, config: Config | None = None) -> Any:
        session = boto3.Session(access_key_id(account), SECRET, region_name=region)
        patient = Config(retries={"total_max_attempts": 1}, max_pool_connections=20)
        return session.client(service, endpoint_url=url, config=patient.merge(config) if config else patient)

    return make


@pytest.fixture(scope="session")
def sagemaker(client: Callable[..., Any]) -> Any:
    return client("sagemaker")


@pytest.fixture(scope="session")
def runtime(client: Callable[..., Any]) -> Any:
    return client("sagemaker-runtime")


@pytest.fixture(scope="session")
def role(client: Callable[..., Any]) -> str:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
    created = client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=json.dumps(trust))
    return str(created["Role"]["Arn"])


@pytest.fixture(scope="session")
def make_model(sagemaker: Any, role: str) -> Callable[..., str]:
    """Create a model with JumpStart's environment and these changes; returns its name."""

    def make(environment: dict[str, str] | None = None, **parameters: Any) -> str:
        container = {"Image": IMAGE, "Environment": JUMPSTART | (environment or {})}
        name = f"model-{next(_NUMBERS)}"
        arguments = {"ModelName": name, "ExecutionRoleArn": role, "PrimaryContainer": container} | parameters
        sagemaker.create_model(**arguments)
        return name

    return make


@pytest.fixture(scope="session")
def make_config(sagemaker: Any, make_model: Callable[..., str]) -> Callable[..., str]:
    """Create an endpoint configuration of one variant, with these changes of it; returns its name."""

    def make(environment: dict[str, str] | None = None, **variant: Any) -> str:
        defaults = {
            "VariantName": "AllTraffic",
            "ModelName": variant.get("ModelName") or make_model(environment),
            "InstanceType": "ml.g5.2xlarge",
            "InitialInstanceCount": 1,
        }
        name = f"config-{next(_NUMBERS)}"
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[defaults | variant])
        return name

    return make


@pytest.fixture(scope="session")
def settled(sagemaker: Any) -> Callable[[str], dict[str, Any]]:
    """Wait until nothing is being done to an endpoint; returns its description."""

    def wait(name: str) -> dict[str, Any]:
        for _ in range(1000):
            described: dict[str, Any] = sagemaker.describe_endpoint(EndpointName=name)
            if described["EndpointStatus"] not in ("Creating", "Updating"):
                return described
            threading.Event().wait(0.01)
        raise AssertionError(f"{name} is still {described['EndpointStatus']} after ten seconds")

    return wait


@pytest.fixture(scope="session")
def deploy(
    sagemaker: Any,
    make_config: Callable[..., str],
    settled: Callable[[str], dict[str, Any]],
    install: Callable[[], None],
) -> Callable[..., str]:
    """Deploy an endpoint with JumpStart's environment and these changes; returns its name when it is settled."""

    def make(environment: dict[str, str] | None = None, **variant: Any) -> str:
        install()
        name = f"endpoint-{next(_NUMBERS)}"
        sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=make_config(environment, **variant))
        settled(name)
        return name

    return make


@pytest.fixture(scope="session")
def endpoint(deploy: Callable[..., str]) -> str:
    """An endpoint with JumpStart's own environment, for tests that only ask it something."""
    return deploy()


@pytest.fixture(scope="session")
def ask(runtime: Any) -> Callable[..., Any]:
    """Invoke an endpoint with a prompt and parameters; returns the answer's JSON."""

    def invoke(name: str, inputs: str, **parameters: Any) -> Any:
        body = json.dumps({"inputs": inputs, "parameters": parameters})
        answer = runtime.invoke_endpoint(EndpointName=name, ContentType="application/json", Body=body)
        return json.loads(answer["Body"].read())

    return invoke


@pytest.fixture(scope="session")
def streams(client: Callable[..., Any]) -> Callable[[str], list[str]]:
    """The names of an endpoint's log streams, one for each instance that was started."""

    def names(name: str) -> list[str]:
        group = f"/aws/sagemaker/Endpoints/{name}"
        return [
            stream["logStreamName"] for stream in client("logs").describe_log_streams(logGroupName=group)["logStreams"]
        ]

    return names


@pytest.fixture(scope="session")
def log(client: Callable[..., Any], streams: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """The lines in the log of an endpoint's only instance."""

    def lines(name: str) -> list[str]:
        (stream,) = streams(name)
        group = f"/aws/sagemaker/Endpoints/{name}"
        events = client("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)["events"]
        return [event["message"] for event in events]

    return lines
