"""Which variant and which instance the next request goes to."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Mapping

from sagehost.containers import Response
from sagehost.hosting.fleet import Instance, RunningEndpoint, RunningVariant


class Waiting:
    """A container that answers when it is told to; its second answer is a stream."""

    def __init__(self) -> None:
        self.may_answer = asyncio.Event()

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        if body == b"stream":
            return 200, {}, self._parts()
        await self.may_answer.wait()
        return 200, {}, b"done"

    async def _parts(self) -> AsyncGenerator[bytes, None]:
        yield b"first"
        await self.may_answer.wait()
        yield b"last"


def variant(
    name: str = "AllTraffic", weight: float = 1.0, least: bool = True, in_flight: tuple[int, ...] = (0,)
) -> RunningVariant:
    instances = tuple(Instance(Waiting(), in_flight=count) for count in in_flight)
    return RunningVariant(name, weight, instances, least)


def test_least_outstanding_requests_chooses_the_instance_with_the_fewest() -> None:
    running = variant(in_flight=(3, 1, 2))
    assert {running.choose_instance().in_flight for _ in range(20)} == {1}


def test_instances_with_equally_few_requests_share_them() -> None:
    running = variant(in_flight=(1, 1, 5))
    assert {running.choose_instance() for _ in range(200)} == set(running.instances[:2])


def test_random_routing_chooses_busy_instances_too() -> None:
    running = variant(least=False, in_flight=(0, 9))
    assert {running.choose_instance().in_flight for _ in range(200)} == {0, 9}


def test_variants_share_requests_by_weight() -> None:
    endpoint = RunningEndpoint((variant("Blue", 3.0), variant("Green", 1.0)))
    served = Counter(endpoint.choose_variant().name for _ in range(4000))
    assert 2700 < served["Blue"] < 3300


def test_variants_without_any_weight_share_requests_equally() -> None:
    endpoint = RunningEndpoint((variant("Blue", 0.0), variant("Green", 0.0)))
    assert {endpoint.choose_variant().name for _ in range(200)} == {"Blue", "Green"}


def test_a_request_is_in_flight_until_its_answer_is_complete() -> None:
    async def count() -> list[int]:
        instance = Instance(Waiting())
        async with instance.invoke({}, b"stream") as (_, _, parts):
            assert not isinstance(parts, bytes)
            await anext(parts)
            during = instance.in_flight
        return [during, instance.in_flight]

    assert asyncio.run(count()) == [1, 0]


def test_a_request_that_is_cancelled_is_no_longer_in_flight() -> None:
    async def ask(instance: Instance) -> None:
        async with instance.invoke({}, b""):
            pass

    async def count() -> list[int]:
        instance = Instance(Waiting())
        request = asyncio.create_task(ask(instance))
        await asyncio.sleep(0)
        before = instance.in_flight
        request.cancel()
        await asyncio.wait({request})
        return [before, instance.in_flight]

    assert asyncio.run(count()) == [1, 0]


def test_during_an_update_old_and_new_instances_serve_a_variant() -> None:
    old, new = variant(in_flight=(0, 0)), variant(in_flight=(0,))
    endpoint = RunningEndpoint((old,), new=RunningEndpoint((new,)), share_of_new=0.1)
    assert endpoint.instances == {"AllTraffic": old.instances + new.instances}
