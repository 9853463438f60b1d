"""What holds for the scheduler whatever comes: against plain loops, and the router's budgets."""

from collections import deque
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mistral7b.capacity.admission import RouterLimits, in_blocks
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from tests.unit.capacity.step_by_step import StepByStep

P = PerformanceParameters(
    decode_step=0.0301,
    decode_per_request=1.53e-4,
    decode_per_kv_token=2.17e-6,
    decode_per_longest_token=2.97e-6,
    prefill=0.0203,
    prefill_per_token=2.35e-4,
    prefill_per_pair=7.5e-9,
    round_trip=0.165,
    sampling=0.0027,
)

Row = tuple[float, int, int, int, int, bool]
"""Arrival, prompt, answer, reserved answer, number, and whether it samples."""

LIMITS = st.builds(
    RouterLimits,
    max_batch_total_tokens=st.sampled_from([8_400, 12_500, 30_000]),
    max_concurrent_requests=st.sampled_from([2, 5, 20, 128]),
    max_batch_prefill_tokens=st.sampled_from([8_192, 10_000]),
    waiting_served_ratio=st.sampled_from([0.0, 0.3, 1.2, 5.0]),
    max_waiting_tokens=st.sampled_from([0, 1, 3, 20, 1000]),
)


@st.composite
def arrivals(draw: st.DrawFn) -> list[Row]:
    """Up to 25 requests, in bursts and with pauses."""
    lengths = st.one_of(st.integers(1, 700), st.integers(3_900, 4_200), st.integers(1, 7_900))
    now = 0.0
    found = []
    for _ in range(draw(st.integers(1, 25))):
        now += draw(st.one_of(st.floats(0.001, 0.2), st.floats(0.001, 3.0), st.floats(5.0, 30.0)))
        answer = draw(st.one_of(st.integers(1, 5), st.integers(1, 200)))
        longest = answer + draw(st.sampled_from([0, 0, 1, 50]))
        found.append((now, draw(lengths), answer, longest, 0, draw(st.booleans())))
    return found


def made(rows: Sequence[Row]) -> list[Request]:
    """Fresh requests."""
    return [Request(*row) for row in rows]


def serve(instance: TgiInstance, requests: Sequence[Request]) -> tuple[list[Request], list[Request]]:
    """Lets all requests come; returns those that finished, in order, and those that were refused."""
    done: list[Request] = []
    refused = []
    for request in requests:
        done += instance.advance(request.arrival)
        if not instance.offer(request, request.arrival):
            refused.append(request)
    while (event := instance.next_event()) is not None:
        done += instance.advance(event)
    return done, refused


@given(arrivals(), LIMITS)
def test_jumping_many_steps_at_once_equals_stepping_one_by_one(rows: list[Row], limits: RouterLimits) -> None:
    jumped, stepped = made(rows), made(rows)
    done, refused = serve(TgiInstance(P, limits), jumped)
    slow = StepByStep(P, limits, deque(stepped))
    slow.serve()
    assert [jumped.index(r) for r in refused] == [stepped.index(r) for r in slow.refused]
    assert [jumped.index(r) for r in done] == [stepped.index(r) for r in slow.finished]
    for fast, plain in zip(jumped, stepped, strict=True):
        if fast not in refused:
            assert (fast.admitted, fast.first_token, fast.finished) == pytest.approx(
                (plain.admitted, plain.first_token, plain.finished), rel=1e-9
            )


@given(arrivals(), LIMITS)
def test_every_accepted_request_finishes_exactly_once(rows: list[Row], limits: RouterLimits) -> None:
    requests = made(rows)
    instance = TgiInstance(P, limits)
    done, refused = serve(instance, requests)
    assert sorted(map(id, done + refused)) == sorted(map(id, requests))
    assert (instance.in_flight, instance.running, instance.waiting) == (0, 0, 0)
    assert all(request.arrival <= request.admitted < request.first_token <= request.finished for request in done)
    assert all(one.finished <= other.finished for one, other in pairwise(done))


@given(arrivals(), LIMITS)
def test_requests_are_let_in_in_the_order_they_came_and_within_the_permits(
    rows: list[Row], limits: RouterLimits
) -> None:
    done, _ = serve(TgiInstance(P, limits), made(rows))
    by_arrival = sorted(done, key=lambda request: request.arrival)
    assert all(one.admitted <= other.admitted for one, other in pairwise(by_arrival))
    for request in done:
        in_flight = [r for r in done if r.arrival <= request.arrival < r.finished]
        assert len(in_flight) <= limits.max_concurrent_requests


@given(arrivals(), LIMITS)
def test_the_token_budgets_are_never_exceeded(rows: list[Row], limits: RouterLimits) -> None:
    done, _ = serve(TgiInstance(P, limits), made(rows))
    for start in {request.admitted for request in done}:
        entering = [r for r in done if r.admitted == start]
        running = [r for r in done if r.first_token <= start < r.finished]
        prompts = sum(in_blocks(r.input_tokens) for r in entering)
        answers = sum(in_blocks(min(max(0, 4096 - r.input_tokens), r.max_new_tokens)) for r in entering)
        held = sum(in_blocks(min(r.input_tokens + r.max_new_tokens - 1, 4096)) for r in running)
        assert prompts <= limits.max_batch_prefill_tokens
        assert prompts + answers + held <= limits.max_batch_total_tokens


@given(arrivals(), LIMITS, st.lists(st.floats(0, 100), max_size=20))
def test_how_often_the_clock_is_read_changes_nothing(
    rows: list[Row], limits: RouterLimits, readings: list[float]
) -> None:
    plain, watched = made(rows), made(rows)
    serve(TgiInstance(P, limits), plain)
    instance = TgiInstance(P, limits)
    seen = dict.fromkeys(watched, 0)
    for now, request in sorted([(r.arrival, r) for r in watched] + [(t, None) for t in readings], key=lambda e: e[0]):
        instance.advance(now)
        if request is not None:
            instance.offer(request, now)
        for known in (r for r in watched if r.arrival <= now and r.prefill_tokens):
            tokens = instance.generated(known, now)
            assert seen[known] <= tokens <= known.output_tokens
            seen[known] = tokens
    while (event := instance.next_event()) is not None:
        instance.advance(event)
    times = [(r.admitted, r.first_token, r.finished) for r in plain]
    assert [(r.admitted, r.first_token, r.finished) for r in watched] == pytest.approx(times, nan_ok=True, rel=1e-12)


@given(arrivals(), LIMITS, st.data())
def test_cancelling_any_requests_at_any_time_loses_no_other(
    rows: list[Row], limits: RouterLimits, data: st.DataObject
) -> None:
    requests = made(rows)
    gone = data.draw(st.lists(st.tuples(st.sampled_from(requests), st.floats(0, 20)), max_size=8))
    events = [(r.arrival, 0, r) for r in requests] + [(r.arrival + delay, 1, r) for r, delay in gone]
    instance = TgiInstance(P, limits)
    done: list[Request] = []
    accepted: list[Request] = []
    for now, cancelling, request in sorted(events, key=lambda event: event[:2]):
        done += instance.advance(now)
        if not cancelling:
            accepted += [request] if instance.offer(request, now) else []
        elif request in accepted:
            instance.cancel(request, now)
        alive = [r for r in accepted if not r.cancelled and r not in done]
        assert instance.in_flight == len(alive) <= limits.max_concurrent_requests
    while (event := instance.next_event()) is not None:
        done += instance.advance(event)
    assert sorted(map(id, done)) == sorted(id(r) for r in accepted if not r.cancelled)
    assert (instance.in_flight, instance.running, instance.waiting) == (0, 0, 0)
