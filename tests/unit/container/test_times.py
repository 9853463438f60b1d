"""What a container's answers say of their time, and how long they take."""

import asyncio
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest

from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.memory import benchmark_limits
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from mistral7b.container import start
from mistral7b.container.router import Response, TgiContainer
from mistral7b.tgi import tokenizer
from tests.unit.container.test_startup import Launch
from tests.unit.container.virtual_time import Clock, run

JUMPSTART = {
    "HF_MODEL_ID": "/opt/ml/model",
    "SM_NUM_GPUS": "1",
    "MAX_INPUT_LENGTH": "8191",
    "MAX_TOTAL_TOKENS": "8192",
    "MAX_BATCH_PREFILL_TOKENS": "8191",
}


def deployed(log: list[str] | None = None, **environment: str) -> TgiContainer:
    """A container on the loop's time."""
    written = [] if log is None else log
    container = start(Launch(JUMPSTART | environment, "ml.g5.2xlarge", written.append, clock=Clock()))
    assert container is not None
    return container


async def ask(container: TgiContainer, words: int, tokens: int, **fields: Any) -> Response:
    """An answer of so many tokens to a prompt of so many words; a stream is read to its end.

    Words are short: a long prompt is tokenized in a thread, for which this time does not wait.
    """
    parameters = {"max_new_tokens": tokens} | fields.pop("parameters", {})
    body = {"inputs": "a" + " a" * (words - 1), "parameters": parameters, **fields}
    response = await container.invoke({"content-type": "application/json"}, json.dumps(body).encode())
    if isinstance(response.body, bytes):
        return response
    return response._replace(body=b"".join([part async for part in response.body]))


def simulated(arrivals: Sequence[tuple[float, int, int]]) -> list[float]:
    """Latencies of requests to an instance of the published benchmark."""
    instance = TgiInstance(published_calibration().parameters, benchmark_limits())
    requests = [Request(*one) for one in arrivals]
    for request in requests:
        instance.offer(request, request.arrival)
    while (event := instance.next_event()) is not None:
        instance.advance(event)
    return [request.latency for request in requests]


@pytest.mark.parametrize("stream", [False, True])
def test_answers_take_as_long_as_in_the_simulation(stream: bool) -> None:
    rows = [(0.0, 700, 100), (0.5, 300, 40), (0.6, 1500, 60), (4.0, 50, 200)]

    async def one(container: TgiContainer, arrival: float, words: int, tokens: int) -> float:
        await asyncio.sleep(arrival)
        answered = await ask(container, words, tokens, stream=stream)
        assert answered.status == 200
        return asyncio.get_running_loop().time() - arrival

    async def serve() -> list[float]:
        container = deployed()
        return await asyncio.gather(*(one(container, *row) for row in rows))

    counted = [(at, tokenizer.count_tokens("a" + " a" * (words - 1)), tokens) for at, words, tokens in rows]
    assert run(serve()) == pytest.approx(simulated(counted), abs=1e-5)


@pytest.mark.parametrize(
    ("parameters", "samples"),
    [({"do_sample": True}, 1), ({"temperature": 0.5}, 1), ({"top_k": 5}, 1), ({"temperature": 1.0}, 0), ({}, 0)],
)
def test_each_token_of_a_request_that_samples_takes_longer(parameters: dict[str, Any], samples: int) -> None:
    async def seconds(**fields: Any) -> float:
        container = deployed()
        begun = asyncio.get_running_loop().time()
        await ask(container, 500, 20, **fields)
        return asyncio.get_running_loop().time() - begun

    more = run(seconds(parameters=parameters)) - run(seconds())
    assert more == pytest.approx(samples * 20 * published_calibration().parameters.sampling, abs=1e-5)


def times(headers: Any) -> dict[str, int]:
    """The times in headers, in milliseconds."""
    return {name: int(value) for name, value in headers.items() if name.endswith(("-time", "-per-token"))}


def test_headers_tell_queue_and_inference_in_milliseconds() -> None:
    async def two() -> Response:
        container = deployed(MAX_BATCH_PREFILL_TOKENS="8191")
        first = asyncio.create_task(ask(container, 8000, 1))
        await asyncio.sleep(1.0)
        answered = await ask(container, 8000, 10)
        await first
        return answered

    headers = run(two()).headers
    shown = times(headers)
    assert headers["x-compute-type"] == "gpu+optimized"
    assert headers["x-compute-characters"] == str(len("a" + " a" * 7999))
    assert shown["x-queue-time"] > 500
    assert (
        shown["x-total-time"]
        == shown["x-compute-time"]
        == pytest.approx(shown["x-validation-time"] + shown["x-queue-time"] + shown["x-inference-time"], abs=2)
    )
    assert shown["x-time-per-token"] == shown["x-inference-time"] // 10


def test_the_header_of_a_stream_has_no_times() -> None:
    headers = run(ask(deployed(), 5, 3, stream=True)).headers
    assert (headers["x-compute-type"], headers["x-compute-characters"]) == ("gpu+optimized", "9")
    assert times(headers) == {}


@pytest.mark.parametrize("stream", [False, True])
def test_the_log_has_the_time_in_the_queue(stream: bool) -> None:
    log: list[str] = []

    async def two() -> None:
        container = deployed(log)
        await asyncio.gather(ask(container, 5000, 1, stream=stream), ask(container, 4500, 1, stream=stream))

    run(two())
    queued = [match[1] for line in log if (match := re.search(r'queue_time="([\d.]+)s"', line))]
    assert len(queued) == 1  # the other waits 0ns
    assert float(queued[0]) == pytest.approx(1.0, abs=0.5)


def test_an_answer_is_as_long_as_it_may_be_on_a_clock() -> None:
    answered = run(ask(deployed(), 5, 300, parameters={"details": True}))
    assert isinstance(answered.body, bytes)
    details = json.loads(answered.body)[0]["details"]
    assert (details["generated_tokens"], details["finish_reason"]) == (300, "length")


def test_every_event_of_a_stream_is_one_token() -> None:
    answered = run(ask(deployed(), 5, 150, stream=True))
    assert isinstance(answered.body, bytes)
    assert answered.body.count(b"data:") == 150


def test_sequences_of_best_of_are_requests_of_their_own() -> None:
    async def three() -> tuple[int, int]:
        container = deployed(MAX_CONCURRENT_REQUESTS="2")
        both = asyncio.create_task(ask(container, 5, 20, parameters={"best_of": 2, "do_sample": True}))
        await asyncio.sleep(0.1)
        refused, in_flight = await ask(container, 5, 1), container.in_flight
        assert (await both).status == 200
        return refused.status, in_flight

    assert run(three()) == (429, 2)


@pytest.mark.parametrize("best_of", [None, 2])
def test_a_request_whose_client_goes_gives_its_permits_back(best_of: int | None) -> None:
    async def go() -> tuple[int, int]:
        container = deployed()
        parameters = {"best_of": best_of, "do_sample": True}
        task = asyncio.create_task(ask(container, 5, 1000, parameters=parameters))
        await asyncio.sleep(1.0)
        before = container.in_flight
        task.cancel()
        await asyncio.wait([task])
        return before, container.in_flight

    assert run(go()) == (best_of or 1, 0)


def test_a_prompt_that_is_never_scheduled_blocks_the_container_until_its_client_goes() -> None:
    async def block() -> tuple[bool, int]:
        container = deployed()
        blocking = asyncio.create_task(ask(container, 8185, 1))
        await asyncio.sleep(0.1)
        behind = asyncio.create_task(ask(container, 5, 1))
        await asyncio.sleep(600)
        waited = not behind.done()
        blocking.cancel()
        return waited, (await behind).status

    assert 8176 < tokenizer.count_tokens("a" + " a" * 8184) <= 8191
    assert run(block()) == (True, 200)
