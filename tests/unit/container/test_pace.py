"""Tokens on the scheduler's time: when streams are woken, what a client that goes leaves behind."""

import asyncio
from contextlib import aclosing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from mistral7b.container.pace import MachineClock, Pace, ScheduledPace, at_once
from mistral7b.tgi.errors import TgiError
from tests.unit.capacity.conftest import NO_TIME
from tests.unit.container.virtual_time import START, Clock, run

SIMPLE = replace(NO_TIME, decode_step=1, prefill=10)
"""A prefill takes 10 s, a decode step 1 s."""
LIMITS = RouterLimits(max_batch_total_tokens=10_000)
MEASURED = published_calibration().parameters


def with_limits(**changed: int) -> RouterLimits:
    """The limits with some changed."""
    return replace(LIMITS, **changed)


def paced(limits: RouterLimits = LIMITS, speed: float = 1.0) -> ScheduledPace:
    """A pace with the simple times."""
    return ScheduledPace(SIMPLE, limits, Clock(speed))


async def ask(
    pace: Pace, tokens: int, *, at: float = 0.0, stream: bool = True, prompt: int = 100
) -> list[tuple[float, int]]:
    """A request at a time of the loop: when there were how many tokens."""
    loop = asyncio.get_running_loop()
    await asyncio.sleep(at)
    async with aclosing(pace(Request(loop.time(), prompt, tokens), stream)) as ticks:
        return [(loop.time(), there) async for there in ticks]


def test_a_stream_has_each_token_when_its_step_ends() -> None:
    assert run(ask(paced(), 4)) == [(10, 1), (11, 2), (12, 3), (13, 4)]


def test_a_whole_answer_is_woken_once_at_its_end() -> None:
    assert run(ask(paced(), 4, stream=False)) == [(13, 4)]


def test_a_faster_clock_takes_less_of_the_machines_time() -> None:
    assert [time for time, _ in run(ask(paced(speed=20), 4))] == pytest.approx([0.5, 0.55, 0.6, 0.65])


def test_a_stream_that_lags_gets_all_tokens_that_are_there() -> None:
    async def lag() -> list[int]:
        seen = []
        async with aclosing(paced()(Request(0.0, 100, 6), stream=True)) as ticks:
            async for there in ticks:
                seen.append(there)
                await asyncio.sleep(2.5)
        return seen

    # Woken at 10, it comes back at 12.5, 15 and 17.5.
    assert run(lag()) == [1, 3, 6]


def test_a_request_notes_when_it_left_the_queue() -> None:
    async def two() -> float:
        pace, second = paced(with_limits(max_batch_prefill_tokens=112)), Request(1.0, 100, 1)

        async def later() -> None:
            await asyncio.sleep(1)
            async with aclosing(pace(second, stream=False)) as ticks:
                await anext(ticks)

        await asyncio.gather(ask(pace, 1), later())
        return second.admitted - START

    assert run(two()) == pytest.approx(10)


def test_a_request_over_the_permits_is_refused_with_429() -> None:
    async def both() -> None:
        pace = paced(with_limits(max_concurrent_requests=1))
        async with asyncio.TaskGroup() as group:
            group.create_task(ask(pace, 4))
            await asyncio.sleep(1)
            with pytest.raises(TgiError, match="overloaded"):
                await ask(pace, 4)

    run(both())


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("gone_at", [5.0, 12.5])
def test_a_client_that_goes_frees_its_place_at_once(stream: bool, gone_at: float) -> None:
    async def go() -> list[tuple[float, int]]:
        pace = paced(with_limits(max_concurrent_requests=1))
        first = asyncio.create_task(ask(pace, 1000, stream=stream))
        await asyncio.sleep(gone_at)
        first.cancel()
        await asyncio.wait([first])
        return await ask(pace, 1, stream=False)

    # The prefill or the step in progress ends, and then comes the next prefill.
    assert run(go()) == [(20.0 if gone_at < 10 else 23.0, 1)]


def test_a_prompt_that_no_prefill_takes_blocks_those_behind_it_until_its_client_goes() -> None:
    async def block() -> list[tuple[float, int]]:
        pace = paced(with_limits(max_batch_prefill_tokens=8176))
        blocking = asyncio.create_task(ask(pace, 1, prompt=8177))
        behind = asyncio.create_task(ask(pace, 1, at=1.0))
        await asyncio.sleep(500)
        assert not blocking.done()
        assert not behind.done()
        blocking.cancel()
        return await behind

    assert run(block()) == [(510, 1)]


def test_nothing_is_left_when_all_have_been_answered_or_gone() -> None:
    async def many() -> int:
        pace = paced()
        tasks = [asyncio.create_task(ask(pace, 5 + one, at=one, stream=one % 2 == 0)) for one in range(20)]
        await asyncio.sleep(15)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.wait(tasks)
        await asyncio.sleep(100)
        return len(asyncio.all_tasks())

    assert run(many()) == 1


@given(
    st.lists(
        st.tuples(st.integers(0, 20_000), st.integers(1, 2000), st.integers(1, 120), st.booleans()),
        min_size=1,
        max_size=30,
        unique_by=lambda one: one[0],
    ),
    st.sampled_from([1.0, 20.0]),
)
def test_answers_end_when_the_simulation_says(asked: list[tuple[int, int, int, bool]], speed: float) -> None:
    limits = with_limits(max_batch_total_tokens=12_000)

    async def serve() -> list[float]:
        pace, clock, loop = ScheduledPace(MEASURED, limits, Clock(speed)), Clock(speed), asyncio.get_running_loop()

        async def one(milliseconds: int, prompt: int, answer: int, stream: bool) -> float:
            await asyncio.sleep(clock.real(milliseconds / 1000))
            async with aclosing(pace(Request(clock.seconds(), prompt, answer), stream)) as ticks:
                async for there in ticks:
                    ended = loop.time() * speed, there
            assert ended[1] == answer
            return ended[0]

        return await asyncio.gather(*(one(*row) for row in asked))

    instance = TgiInstance(MEASURED, limits)
    requests = [Request(milliseconds / 1000, prompt, answer) for milliseconds, prompt, answer, _ in asked]
    for request in sorted(requests, key=lambda one: one.arrival):
        instance.offer(request, request.arrival)
    while (event := instance.next_event()) is not None:
        instance.advance(event)
    assert run(serve()) == pytest.approx([request.finished for request in requests], abs=1e-4)


def test_utilization_is_the_share_of_time_since_the_last_call_in_which_the_gpu_worked() -> None:
    async def measure() -> list[dict[str, float]]:
        pace = paced()
        work = asyncio.create_task(ask(pace, 21, at=10.0, stream=False))  # until 40
        seen = []
        for seconds in (10, 20, 20, 10):
            await asyncio.sleep(seconds)
            seen.append(pace.utilization())
        await work
        return seen

    assert [one["GPUUtilization"] for one in run(measure())] == pytest.approx([0, 100, 50, 0])


def test_without_a_clock_a_whole_answer_is_there_at_once() -> None:
    assert run(ask(at_once, 300, stream=False)) == [(0, 300)]


def test_without_a_clock_a_stream_has_token_after_token() -> None:
    assert run(ask(at_once, 3)) == [(0, 1), (0, 2), (0, 3)]


def test_the_machines_clock_takes_the_machines_time() -> None:
    clock = MachineClock()
    assert clock.seconds() <= clock.seconds()
    assert clock.real(3.0) == 3.0
