"""The scheduler against examples worked out by hand: a prefill takes 10 s, a decode step 1 s."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import SLIDING_WINDOW, PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from tests.unit.capacity.conftest import NO_TIME

Limits = Callable[..., RouterLimits]


def served(instance: TgiInstance, *requests: Request) -> list[Request]:
    """Offers each request at its arrival and lets the clock run until all is done."""
    done = []
    for request in requests:
        done += instance.advance(request.arrival)
        assert instance.offer(request, request.arrival)
    while (event := instance.next_event()) is not None:
        done += instance.advance(event)
    return done


def test_a_request_alone_takes_a_prefill_and_a_step_for_each_further_token(
    simple: PerformanceParameters, limits: Limits
) -> None:
    request = Request(3.0, 100, 5)
    assert served(TgiInstance(simple, limits()), request) == [request]
    assert (request.admitted, request.first_token, request.finished) == (3, 13, 17)
    assert (request.admitted - request.arrival, request.latency) == (0, 14)


def test_all_of_a_batch_wait_for_the_one_that_samples(simple: PerformanceParameters, limits: Limits) -> None:
    # A's prefill is 0 to 10, B's, which samples, 10 to 20.5. Two steps of 1.5 s each end B. A then takes 1 s a step.
    a, b = Request(0.0, 100, 5), Request(1.0, 100, 3, samples=True)
    served(TgiInstance(replace(simple, sampling=0.5), limits()), a, b)
    assert (b.first_token, b.finished, a.finished) == (20.5, 23.5, 25.5)


def test_a_request_of_one_token_ends_with_its_prefill(simple: PerformanceParameters, limits: Limits) -> None:
    request = Request(0.0, 100, 1)
    served(TgiInstance(simple, limits()), request)
    assert request.finished == 10


def test_one_waiting_request_interrupts_one_running_before_its_next_step(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # A runs from 10. B comes at 12.5, in the third step, which ends at 13; floor(1 x 1.2) = 1 waits: B's prefill is
    # 13 to 23, while A pauses. Then both step: A has 4 of 6 tokens and ends at 25, B has 1 of 4 and ends at 26.
    a, b = Request(0.0, 100, 6), Request(12.5, 100, 4)
    served(TgiInstance(simple, limits()), a, b)
    assert (b.admitted, b.first_token, a.finished, b.finished) == (13, 23, 25, 26)


def test_too_few_waiting_requests_are_let_in_after_max_waiting_tokens(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # B and C come in A's prefill, which ends at 10. Before the first step they are let in, as 2 >= floor(1 x 1.2): the
    # prefill ends at 20. D comes at 20.5. With 3 running, floor(3.6) = 3 would have to wait. waiting_tokens is 1 after
    # the prefill and 5 after four steps, at 24: then D is let in all the same.
    a, b, c, d = Request(0.0, 100, 50), Request(1.0, 100, 50), Request(2.0, 100, 50), Request(20.5, 100, 50)
    served(TgiInstance(simple, limits(max_waiting_tokens=5)), a, b, c, d)
    assert (b.admitted, c.admitted, d.admitted) == (10, 10, 24)


def test_enough_waiting_requests_are_let_in_before_max_waiting_tokens(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # As above, but the third of the three that are needed comes at 22.5: all are let in at 23.
    first = [Request(float(second), 100, 50) for second in range(3)]
    late = [Request(20.5, 100, 50), Request(21.5, 100, 50), Request(22.5, 100, 50)]
    served(TgiInstance(simple, limits()), *first, *late)
    assert [request.admitted for request in late] == [23, 23, 23]


def test_after_a_prefill_that_paused_others_a_step_comes_before_the_next_check(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # B pauses A from 11 to 21. C and D come meanwhile and are enough for the 2 running, but the router steps first.
    a, b, c, d = Request(0.0, 100, 50), Request(10.5, 100, 50), Request(12.0, 100, 50), Request(13.0, 100, 50)
    served(TgiInstance(simple, limits()), a, b, c, d)
    assert (b.admitted, c.admitted, d.admitted) == (11, 22, 22)


def test_the_prefill_budget_is_counted_in_blocks(simple: PerformanceParameters, limits: Limits) -> None:
    # B, C and D wait while A's prefill runs. 100 tokens are 112 in blocks, so that 224 tokens are two of them.
    requests = [Request(float(second), 100, 50) for second in range(4)]
    served(TgiInstance(simple, limits(max_batch_prefill_tokens=224, max_waiting_tokens=3)), *requests)
    assert [request.admitted for request in requests] == [0, 10, 10, 22]


def test_the_whole_answer_is_reserved_in_advance(simple: PerformanceParameters, limits: Limits) -> None:
    # A holds 100 + 60 - 1 = 159, in blocks 160. B wants 112 + 64 = 176: 160 + 176 > 335. So it waits for A's 5th token.
    a, b = Request(0.0, 100, 5, max_new_tokens=60), Request(1.0, 100, 5, max_new_tokens=60)
    served(TgiInstance(simple, limits(max_batch_total_tokens=335)), a, b)
    assert (a.finished, b.admitted) == (14, 14)


def test_room_for_both_lets_the_second_in_at_once(simple: PerformanceParameters, limits: Limits) -> None:
    a, b = Request(0.0, 100, 5, max_new_tokens=60), Request(1.0, 100, 5, max_new_tokens=60)
    served(TgiInstance(simple, limits(max_batch_total_tokens=336)), a, b)
    assert b.admitted == 10


def test_a_small_request_does_not_pass_a_large_one_that_does_not_fit(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # A holds 112. Large wants 304 + 16 and waits for A's end; small's 16 + 16 would have fitted at 10.
    a, large, small = Request(0.0, 100, 5), Request(1.0, 300, 5), Request(2.0, 10, 5)
    served(TgiInstance(simple, limits(max_batch_total_tokens=340)), a, large, small)
    assert (large.admitted, small.admitted) == (14, 24)


def test_a_long_prompt_is_charged_in_full_on_admission_and_by_its_window_once_it_runs(
    simple: PerformanceParameters, limits: Limits
) -> None:
    # A's 8000 tokens run as 4096. B's 8000 are more than the 12095 - 4096 = 7999 left, but 12096 - 4096 = 8000 do.
    for total, admitted in ((12_095, 14), (12_096, 10)):
        a, b = Request(0.0, 8000, 5), Request(1.0, 8000, 5)
        served(TgiInstance(simple, limits(max_batch_prefill_tokens=8191, max_batch_total_tokens=total)), a, b)
        assert b.admitted == admitted


def test_one_request_more_than_the_permits_is_refused_until_one_is_free(
    simple: PerformanceParameters, limits: Limits
) -> None:
    instance = TgiInstance(simple, limits(max_concurrent_requests=2))
    assert instance.offer(Request(0.0, 100, 3), 0.0)
    assert instance.offer(Request(1.0, 100, 3), 1.0)
    assert not instance.offer(Request(2.0, 100, 3), 2.0)
    assert (instance.in_flight, instance.waiting) == (2, 1)
    # The first pauses from 10 to 20 and ends at 22.
    assert not instance.offer(Request(21.9, 100, 3), 21.9)
    assert instance.offer(Request(22.0, 100, 3), 22.0)


def test_a_step_takes_longer_by_each_request_each_token_attended_to_and_the_longest_context(limits: Limits) -> None:
    # A's 10 tokens have 10 x 10 - 50 = 50 pairs: 1 + 0.1 + 0.05 = 1.15 s. Those of B and C, 300 tokens with
    # 5,000 + 20,000 pairs, take 1 + 3 + 25 = 29 s.
    p = PerformanceParameters(
        decode_step=1,
        decode_per_request=0.1,
        decode_per_kv_token=0.01,
        decode_per_longest_token=0.001,
        prefill=1,
        prefill_per_token=0.01,
        prefill_per_pair=0.001,
        round_trip=0,
        sampling=0,
    )
    a, b, c = Request(0.0, 10, 3), Request(0.5, 100, 3), Request(0.6, 200, 3)
    served(TgiInstance(p, limits()), a, b, c)
    assert a.first_token == pytest.approx(1.15)
    assert b.first_token == pytest.approx(1.15 + 29)
    # First step: contexts 11 + 101 + 201 = 313, longest 201: 1 + 0.3 + 3.13 + 0.201. Second: 316 and 202.
    assert c.finished == pytest.approx(30.15 + 4.631 + 1.3 + 3.16 + 0.202)


def test_contexts_stop_growing_at_the_sliding_window(limits: Limits) -> None:
    # A prompt of 4094: the steps attend to 4095, 4096, 4096, 4096 tokens.
    p = replace(NO_TIME, decode_per_kv_token=1, decode_per_longest_token=1, prefill=1)
    request = Request(0.0, SLIDING_WINDOW - 2, 5)
    served(TgiInstance(p, limits(max_batch_prefill_tokens=8192)), request)
    assert request.finished == pytest.approx(1 + 2 * (4095 + 3 * 4096))


def test_a_request_that_ends_as_its_window_fills_leaves_nothing_behind(limits: Limits) -> None:
    # The last step fills the window of A: 4090 + 6 = 4096. B alone then steps with contexts of 11 and 12.
    p = replace(NO_TIME, decode_per_kv_token=1, prefill=1)
    a, b = Request(0.0, SLIDING_WINDOW - 6, 6), Request(50_000.0, 10, 3)
    served(TgiInstance(p, limits()), a, b)
    assert a.finished == 1 + 4091 + 4092 + 4093 + 4094 + 4095
    assert b.finished == 50_000 + 1 + 11 + 12


def test_tokens_are_there_step_by_step(simple: PerformanceParameters, limits: Limits) -> None:
    instance = TgiInstance(simple, limits())
    request = Request(0.0, 100, 4)
    instance.offer(request, 0.0)
    seen = []
    for now in (0.0, 9.9, 10.0, 10.9, 11.0, 12.5, 13.0, 14.0):
        instance.advance(now)
        seen.append((instance.generated(request, now), instance.next_token(now)))
    assert seen == [(0, 10), (0, 10), (1, 11), (1, 11), (2, 12), (3, 13), (4, None), (4, None)]


def test_a_cancelled_request_frees_its_permit_at_once_and_its_tokens_after_the_step(
    simple: PerformanceParameters, limits: Limits
) -> None:
    instance = TgiInstance(simple, limits(max_batch_total_tokens=336, max_concurrent_requests=2))
    a, b = Request(0.0, 100, 60), Request(1.0, 200, 30)
    instance.offer(a, 0.0)
    instance.offer(b, 1.0)
    instance.advance(12.5)
    assert b.admitted != b.admitted  # 160 + 208 + 32 > 336
    instance.cancel(a, 12.5)
    assert instance.in_flight == 1
    assert instance.advance(13.0) == []
    assert (b.admitted, instance.running) == (13, 0)


def test_a_cancelled_request_in_the_queue_lets_the_next_pass(simple: PerformanceParameters, limits: Limits) -> None:
    instance = TgiInstance(simple, limits(max_batch_total_tokens=336))
    a, large, small = Request(0.0, 100, 60), Request(1.0, 300, 30), Request(2.0, 100, 30)
    for request in (a, large, small):
        instance.offer(request, request.arrival)
    instance.cancel(large, 12.5)
    instance.advance(30.0)
    assert (small.admitted, instance.waiting, instance.in_flight) == (13, 0, 2)


def test_a_request_cancelled_in_its_prefill_never_joins_the_batch(
    simple: PerformanceParameters, limits: Limits
) -> None:
    instance = TgiInstance(simple, limits())
    request = Request(0.0, 100, 60)
    instance.offer(request, 0.0)
    instance.cancel(request, 5.0)
    assert instance.advance(100.0) == []
    assert (instance.next_event(), instance.in_flight, instance.running) == (None, 0, 0)


@pytest.mark.parametrize("busy", [False, True])
def test_an_instance_that_may_block_keeps_what_no_prefill_takes_until_it_is_cancelled(
    simple: PerformanceParameters, limits: Limits, busy: bool
) -> None:
    instance = TgiInstance(simple, limits(max_batch_prefill_tokens=8176), may_block=True)
    if busy:
        instance.offer(Request(0.0, 100, 1000), 0.0)
    blocking, behind = Request(11.5, 8177, 5), Request(12.0, 100, 5)
    assert instance.offer(blocking, 11.5)
    assert instance.offer(behind, 12.0)
    instance.advance(100.0)
    assert instance.waiting == 2
    instance.cancel(blocking, 100.0)
    instance.advance(101.0)
    assert (behind.admitted, instance.waiting, instance.in_flight) == (100 + busy, 0, 1 + busy)


def test_two_requests_cancelled_in_one_step_leave_together(simple: PerformanceParameters, limits: Limits) -> None:
    instance = TgiInstance(simple, limits())
    requests = [Request(0.0, 100, 20) for _ in range(3)]
    for request in requests:
        instance.offer(request, 0.0)
    until = 0.0
    while instance.running < 3:  # one prefill for the first, one for the others
        event = instance.next_event()
        assert event is not None
        until = event
        instance.advance(until)
    for request in requests[:2]:
        instance.cancel(request, until)
    instance.advance(until + 2.0)
    assert (instance.running, instance.in_flight) == (1, 1)
    assert instance.advance(1000.0) == requests[2:]


def test_cancelling_twice_or_too_late_changes_nothing(simple: PerformanceParameters, limits: Limits) -> None:
    instance = TgiInstance(simple, limits())
    a, b = Request(0.0, 100, 2), Request(0.0, 100, 20)
    instance.offer(a, 0.0)
    instance.offer(b, 0.0)
    instance.cancel(b, 1.0)
    instance.cancel(b, 2.0)
    assert instance.advance(11.0) == [a]
    instance.cancel(a, 12.0)
    assert (instance.in_flight, a.cancelled) == (0, False)


def test_the_time_it_was_busy_leaves_out_what_it_was_idle(simple: PerformanceParameters, limits: Limits) -> None:
    instance = TgiInstance(simple, limits())
    served(instance, Request(0.0, 100, 3), Request(50.0, 100, 2))
    assert instance.busy_seconds == 12 + 11
