"""An embedded AWS with a deployed environment, load on it by boto3, and what the two processes cost."""

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple
from unittest.mock import patch

import boto3
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from mistral7b.capacity.fleet.trace import Trace
from mistral7b.tgi import tokenizer
from sagehost.accounts import DEFAULT_REGION, credentials
from sagehost.lifecycle import State, running_server

PROJECT = Path(__file__).absolute().parents[1]
NAME, STACK = "mistral-7b-instruct-load", "mistral-7b-load-endpoint"
MOST_AT_ONCE = 512
TICKS = os.sysconf("SC_CLK_TCK")


class Usage(NamedTuple):
    """What a process has used: seconds of CPU; and what it holds: resident memory, threads, open files."""

    cpu: float
    megabytes: float
    threads: int
    files: int


@dataclass(frozen=True)
class Server:
    """An embedded AWS, with a clock of so many seconds a second."""

    state: State
    speed: float
    clients: list[Any] = field(default_factory=list)

    def client(self, service: str, read_timeout: float = 70.0) -> Any:
        """A boto3 client that retries nothing."""
        settings = credentials(region=DEFAULT_REGION, secret=self.state.secret)
        config = Config(
            retries={"total_max_attempts": 1},
            max_pool_connections=MOST_AT_ONCE,
            read_timeout=read_timeout,
            parameter_validation=False,
        )
        client = boto3.client(
            service,
            endpoint_url=self.state.url,
            region_name=DEFAULT_REGION,
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            config=config,
        )
        self.clients.append(client)
        return client

    def hang_up(self) -> None:
        """Closes the connections of all clients, and waits until the server has noticed."""
        for client in self.clients:
            client.close()
        gc.collect()  # an answer that was not read to its end may still hold its connection
        time.sleep(1)

    def usage(self) -> Usage:
        """Of the server's process."""
        process = Path(f"/proc/{self.state.pid}")
        values = (process / "stat").read_text(encoding="ascii").rpartition(")")[2].split()
        cpu, threads, pages = int(values[11]) + int(values[12]), int(values[17]), int(values[21])
        megabytes = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return Usage(cpu / TICKS, megabytes, threads, len([*(process / "fd").iterdir()]))

    def sleep(self, seconds: float) -> None:
        """Waits, by the embedded AWS's clock."""
        if seconds > 0:
            time.sleep(seconds / self.speed)

    def deploy(self, **settings: Any) -> tuple[str, str]:
        """Creates or updates the stack of an environment; its status at the end, and the reason of a failure."""
        cloudformation, template = self.client("cloudformation"), exported(settings)
        request = {"StackName": STACK, "TemplateBody": template, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
        exists = any(one["StackName"] == STACK for one in cloudformation.describe_stacks()["Stacks"])
        change = cloudformation.update_stack if exists else cloudformation.create_stack
        pages = cloudformation.get_paginator("describe_stack_events")
        before = pages.paginate(StackName=STACK).build_full_result()["StackEvents"] if exists else []
        change(**request)
        while (status := cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["StackStatus"]).endswith(
            "IN_PROGRESS"
        ):
            time.sleep(0.25)
        events = pages.paginate(StackName=STACK).build_full_result()["StackEvents"]
        new = events[: len(events) - len(before)]
        reasons = [one["ResourceStatusReason"] for one in new if one["ResourceStatus"].endswith("_FAILED")]
        return status, reasons[-1] if reasons else ""


@contextmanager
def server(speed: str, **variables: str) -> Iterator[Server]:
    """An embedded AWS for the length of the block. It ends with this process, however that ends."""
    with patch.dict(os.environ, variables), running_server(speed=speed) as state:
        yield Server(state, 1.0 if speed == "instant" else float(speed))


def exported(settings: dict[str, Any]) -> str:
    """The template of an environment, by `mistral7b export`; without compliance packs, which change no template."""
    values = {"region": DEFAULT_REGION, "compliance_packs": [], "network": {"runtime_endpoint": False}} | settings
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "load.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
        command = [str(Path(sys.executable).parent / "mistral7b"), "export", "load", "--environments", folder]
        done = subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.dumps(json.loads(done.stdout), separators=(",", ":"))


def body(prompt_tokens: int, max_new_tokens: int, *, stream: bool = False, details: bool = False) -> bytes:
    """A request with a prompt of exactly so many tokens."""
    parameters = {"max_new_tokens": max_new_tokens, "details": details}
    return json.dumps({"inputs": _prompt(prompt_tokens), "parameters": parameters, "stream": stream}).encode()


@cache
def _prompt(tokens: int) -> str:
    text = " ".join(["word"] * (tokens - 1))
    if (counted := tokenizer.count_tokens(text)) != tokens:
        raise ValueError(f"the prompt has {counted} tokens, not {tokens}")
    return text


class Endpoint:
    """The deployed endpoint, as callers see it."""

    def __init__(self, server: Server, read_timeout: float = 70.0) -> None:
        self._runtime = server.client("sagemaker-runtime", read_timeout)

    def answer(self, request: bytes) -> Any:
        """A whole answer. Raises botocore's errors."""
        response = self._runtime.invoke_endpoint(EndpointName=NAME, ContentType="application/json", Body=request)
        return json.loads(response["Body"].read())

    def events(self, request: bytes, most: int | None = None) -> Iterator[dict[str, Any]]:
        """The events of a streamed answer; after `most` of them the client hangs up. Raises botocore's errors."""
        operation = self._runtime.invoke_endpoint_with_response_stream
        stream = operation(EndpointName=NAME, ContentType="application/json", Body=request)["Body"]
        pending, seen = b"", 0
        try:
            for part in stream:
                pending += part["PayloadPart"]["Bytes"]
                *complete, pending = pending.split(b"\n\n")
                for line in complete:
                    yield json.loads(line.removeprefix(b"data:"))
                    seen += 1
                    if seen == most:
                        return
        finally:
            stream.close()


def name_of(error: Exception) -> str:
    """What an error is called: AWS's code, and of a ModelError the status and the container's own kind of error."""
    if not isinstance(error, ClientError):
        return f"{type(error).__name__}: {error}"[:100]
    code: str = error.response["Error"]["Code"]
    status = error.response.get("OriginalStatusCode")
    try:
        kind = json.loads(error.response.get("OriginalMessage", "")).get("error_type", "")
    except ValueError:
        kind = error.response.get("OriginalMessage", "")[:40]
    return " ".join(str(one) for one in (code, status, kind) if one)


@dataclass(frozen=True)
class Measured:
    """A closed loop's steady state: averages of the clock's seconds, and the tokens of all in one of them."""

    latency: float
    tokens_per_second: float
    client_cpu: float
    """Of one core."""
    server_cpu: float


def closed_loop(
    server: Server,
    call: Callable[[], None],
    *,
    users: int,
    tokens: int,
    pause: float,
    spread: float,
    cycles: tuple[int, int],
) -> Measured:
    """Users who each send the next request when the answer to the last one is there; the first spread over a time.

    Every user's first `cycles[0]` requests are not counted, the `cycles[1]` after them are; then all go on until the
    last one has had as many. Each sleeps for `pause` seconds between two requests, which counts as latency.
    """
    warm, counted = cycles
    ends: list[list[float]] = [[] for _ in range(users)]
    waits: list[float] = []
    ready, failures, everyone = threading.Event(), [], threading.Lock()
    left = users

    def user(number: int) -> None:
        nonlocal left
        server.sleep(spread * number / users)
        while not ready.is_set():
            began = time.perf_counter()
            try:
                call()
            except Exception as error:  # noqa: BLE001 - a thread has no caller
                failures.append(name_of(error))
                ready.set()
            ended = time.perf_counter()
            ends[number].append(ended * server.speed)
            if warm < len(ends[number]) <= warm + counted:
                waits.append((ended - began) * server.speed)
            if len(ends[number]) == warm + counted:
                with everyone:
                    left -= 1
                if left == 0:
                    ready.set()
            server.sleep(pause)

    began, used, own = time.perf_counter(), server.usage().cpu, time.process_time()
    threads = [threading.Thread(target=user, args=(number,)) for number in range(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        sys.exit(f"a request failed: {failures[0]}")
    took, used, own = time.perf_counter() - began, server.usage().cpu - used, time.process_time() - own
    rates = [counted * tokens / (one[warm + counted - 1] - one[warm - 1]) for one in ends]
    return Measured(fmean(waits) + pause, sum(rates), own / took, used / took)


def replay(server: Server, trace: Trace, send: Callable[[int, int, int], None]) -> float:
    """Sends each request of a trace at its time, by number, prompt and answer; the most that one was sent too late."""
    began, late = time.perf_counter(), 0.0
    rows = zip(trace.times.tolist(), trace.inputs.tolist(), trace.outputs.tolist(), strict=True)
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        for number, (at, prompt, answer) in enumerate(rows):
            server.sleep(at - (time.perf_counter() - began) * server.speed)
            late = max(late, (time.perf_counter() - began) * server.speed - at)
            pool.submit(send, number, prompt, answer)
    return late


@contextmanager
def sampled(seconds: float, look: Callable[[float], None]) -> Iterator[None]:
    """Looks every so many real seconds, for the length of the block; `look` gets the real seconds since its start."""
    ended, began = threading.Event(), time.perf_counter()

    def run() -> None:
        while not ended.wait(seconds - (time.perf_counter() - began) % seconds):
            look(time.perf_counter() - began)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def verdict(bars: Sequence[tuple[str, bool]]) -> int:
    """Prints which bars are missed; 1 if one is."""
    missed = [text for text, kept in bars if not kept]
    print("\n" + ("\n".join(f"MISSED: {one}" for one in missed) if missed else "every bar is met"))
    return 1 if missed else 0
