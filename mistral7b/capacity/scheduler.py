"""The router and the GPU of one TGI 1.1.0 instance, event by event, on a clock that the caller owns.

A simulation jumps the clock from event to event; a server lets it run. Decode steps between two events are not stepped
through: while the batch stays the same, the times of k steps are an arithmetic series.
"""

from collections import deque
from math import inf, sqrt

from mistral7b.capacity.admission import RouterLimits, UnservableRequestError, charge, fewest_to_interrupt
from mistral7b.capacity.batch import RunningBatch
from mistral7b.capacity.parameters import SLIDING_WINDOW, PerformanceParameters, attention_pairs
from mistral7b.capacity.request import Request

_IDLE, _PREFILL, _DECODE = range(3)


class TgiInstance:
    """One instance: a FIFO queue, one running batch, and the time that prefills and decode steps take.

    Call with times that never decrease: `offer` a request when it arrives, and `advance` to `next_event` or any later
    time to collect what has finished. `next_event` may become earlier by an offer, so ask for it again afterwards.

        instance = TgiInstance(parameters, limits)
        accepted = instance.offer(Request(arrival=0.0, input_tokens=620, output_tokens=128), now=0.0)
        while (event := instance.next_event()) is not None:
            finished = instance.advance(event)

    A server that streams sleeps until `next_token`, then asks `generated` of each request; an offer or a cancellation
    may make `next_event` earlier, but no token: a step that has begun ends when it would have.
    """

    def __init__(self, parameters: PerformanceParameters, limits: RouterLimits, *, may_block: bool = False) -> None:
        """`may_block`: a request that would never be let in waits at the queue's head until it is cancelled, as in TGI.

        Otherwise `offer` raises.
        """
        self._p = parameters
        self._limits = limits
        self._may_block = may_block
        self.in_flight = 0
        """Requests accepted and not finished: queued, in a prefill, or running."""
        self.busy_seconds = 0.0
        """Seconds of prefills and decode steps so far."""
        self._phase = _IDLE
        self._event = inf
        self._queue: deque[Request] = deque()
        self._prefilling: list[Request] = []
        self._done: list[Request] = []
        self._needed = [1]  # by the number of running requests
        self._batch = RunningBatch()
        # The planned run of decode steps, from `_run_start` on: the first takes `_first_seconds` and each
        # `_growth_seconds` longer than the one before. `_waited` is the router's `waiting_tokens` at its start.
        self._run_steps = self._waited = 0
        self._run_start = self._first_seconds = self._growth_seconds = 0.0
        # Of the queue's head: how many would be let in now, and their charges.
        self._fit = self._fit_prefill = self._fit_reserved = 0
        self._fit_blocked = False

    @property
    def running(self) -> int:
        """Requests in the running batch; those in a prefill are not."""
        return self._batch.running

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    def offer(self, request: Request, now: float) -> bool:
        """Accepts a request that arrives now; False if all permits are taken, which the container answers with 429.

        Raises ValueError if its lengths make no sense, and UnservableRequestError if it would never be let in, unless
        the instance may block.
        """
        if self._event <= now:
            self._catch_up(now)
        if self.in_flight >= self._limits.max_concurrent_requests:
            return False
        try:
            charge(request, self._limits)
        except UnservableRequestError:
            if not self._may_block:
                raise
        self.in_flight += 1
        self._queue.append(request)
        if self._phase == _DECODE:
            if not self._fit_blocked:
                self._interrupt(now)
        elif self._phase == _IDLE:
            self._start(now)
        return True

    def next_event(self) -> float | None:
        """When the instance has to be advanced next; None if nothing is in flight and all is collected."""
        if self._done:
            return self._done[0].finished
        return None if self._event == inf else self._event

    def advance(self, now: float) -> list[Request]:
        """Lets the clock run to `now`; returns what has finished since the last call, in the order it did."""
        self._catch_up(now)
        done, self._done = self._done, []
        return done

    def busy(self, now: float) -> float:
        """Seconds of prefills and decode steps, the ones in progress included."""
        return self.busy_seconds + (0.0 if self._phase == _IDLE else now - self._run_start)

    def generated(self, request: Request, now: float) -> int:
        """Tokens of an accepted request that are there, after the clock has run to `now`."""
        if not request.first_token <= now:
            return 0
        if request.finished <= now:
            return request.output_tokens
        return 1 + self._batch.steps + self._steps_done(now) - request.first_step

    def next_token(self, now: float) -> float | None:
        """When the next prefill or decode step ends, each of whose requests then has one token more; None if idle."""
        if self._phase == _DECODE:
            return self._run_start + self._duration(self._steps_done(now) + 1)
        return None if self._phase == _IDLE else self._event

    def cancel(self, request: Request, now: float) -> None:
        """The client of an accepted request has gone: its permit is free at once.

        A queued request is dropped, any other leaves with the prefill or step in progress. `advance` never returns it.
        """
        self._catch_up(now)
        if request.cancelled or request.finished <= now:
            return
        request.cancelled = True
        self.in_flight -= 1
        if request.admitted != request.admitted:  # NaN: still queued
            self._queue.remove(request)
            self._fit = self._fit_prefill = self._fit_reserved = 0
            if self._phase == _DECODE:
                self._interrupt(now)
            elif self._phase == _IDLE:  # it may have been what blocked the queue
                self._start(now)
        elif self._phase == _DECODE or request not in self._prefilling:
            steps = self._steps_done(now) + 1 if self._phase == _DECODE else 1
            if self._batch.steps + steps < request.finish_step:
                self._batch.ends_at(request, self._batch.steps + steps)
            if self._phase == _DECODE:
                self._cut_run(steps)

    def _catch_up(self, now: float) -> None:
        while self._event <= now:
            self.busy_seconds += self._event - self._run_start
            if self._phase == _PREFILL:
                self._end_prefill(self._event)
            else:
                self._end_run(self._event)

    def _start(self, now: float) -> None:
        """Nothing runs: whatever fits is let in; if nothing does, the next offer or cancellation tries again."""
        self._extend_fit()
        if self._fit:
            self._begin_prefill(now)
        else:
            self._phase = _IDLE
            self._event = inf

    def _check(self, now: float) -> None:
        """Before a decode step of a running batch: are waiting requests let in?"""
        if self._queue:
            self._extend_fit()
            waited = self._waited >= self._limits.max_waiting_tokens
            if self._fit >= (1 if waited else self._needed[self._batch.running]):
                self._begin_prefill(now)
                return
        self._begin_run(now)

    def _extend_fit(self) -> None:
        """Counts how many from the head of the queue would be let in: only ever more, as the batch only frees room."""
        queue, limits = self._queue, self._limits
        room = limits.max_batch_total_tokens - self._batch.held
        self._fit_blocked = False
        while self._fit < len(queue):
            request = queue[self._fit]
            prefill = self._fit_prefill + request.prefill_tokens
            reserved = self._fit_reserved + request.reserved_tokens
            if prefill > limits.max_batch_prefill_tokens or reserved > room:
                self._fit_blocked = True
                return
            self._fit += 1
            self._fit_prefill = prefill
            self._fit_reserved = reserved

    def _begin_prefill(self, now: float) -> None:
        tokens, pairs = 0, 0.0
        admitted = [self._queue.popleft() for _ in range(self._fit)]
        for request in admitted:
            request.admitted = now
            tokens += request.input_tokens
            pairs += attention_pairs(request.input_tokens)
        self._prefilling = admitted
        self._fit = self._fit_prefill = self._fit_reserved = 0
        self._phase = _PREFILL
        self._run_start = now
        self._event = now + self._p.prefill_seconds(tokens, pairs, samples=any(request.samples for request in admitted))

    def _end_prefill(self, now: float) -> None:
        batch = self._batch
        fresh = not batch.running
        for request in self._prefilling:
            request.first_token = now
            if request.output_tokens == 1 or request.cancelled:
                self._finish(request, now)
            else:
                batch.join(request)
        while len(self._needed) <= batch.running:
            self._needed.append(fewest_to_interrupt(len(self._needed), self._limits.waiting_served_ratio))
        self._prefilling = []
        self._waited = 1
        if not batch.running:
            self._start(now)
        elif fresh:
            self._check(now)
        else:  # after a prefill that paused a batch, the router goes on with a decode step unchecked
            self._extend_fit()
            self._begin_run(now)

    def _begin_run(self, now: float) -> None:
        """Plans decode steps up to the first after which the batch or what may be let in can change."""
        p, batch = self._p, self._batch
        planned = batch.steps_unchanged()
        if self._fit:
            planned = min(planned, self._steps_to_check(1))
        longest = batch.longest()
        self._first_seconds = p.decode_seconds(batch.running, batch.kv, longest, samples=batch.sampling > 0)
        self._growth_seconds = p.decode_per_kv_token * batch.growing
        if longest < SLIDING_WINDOW:
            self._growth_seconds += p.decode_per_longest_token
        self._phase = _DECODE
        self._run_start = now
        self._run_steps = planned
        self._event = now + self._duration(planned)

    def _end_run(self, now: float) -> None:
        self._waited += self._run_steps
        for request in self._batch.step(self._run_steps):
            self._finish(request, now)
        if self._batch.running:
            self._check(now)
        else:
            self._start(now)

    def _finish(self, request: Request, now: float) -> None:
        request.finished = now
        if not request.cancelled:
            self.in_flight -= 1
            self._done.append(request)

    def _interrupt(self, now: float) -> None:
        """The queue has changed in a run of decode steps: does the router let someone in earlier than planned?"""
        before = self._fit
        self._extend_fit()
        needed = self._needed[self._batch.running]
        if before == 0 < self._fit or before < needed <= self._fit:
            self._cut_run(self._steps_to_check(self._steps_done(now) + 1))

    def _steps_to_check(self, first: int) -> int:
        """After which step of the run, the `first` at the earliest, the router lets in the `_fit` that wait."""
        if self._fit >= self._needed[self._batch.running]:
            return first
        return max(first, self._limits.max_waiting_tokens - self._waited)

    def _cut_run(self, steps: int) -> None:
        if steps < self._run_steps:
            self._run_steps = steps
            self._event = self._run_start + self._duration(steps)

    def _duration(self, steps: int) -> float:
        """Seconds of the run's first `steps` steps: the sum of an arithmetic series."""
        return steps * self._first_seconds + self._growth_seconds * (steps * (steps - 1) / 2)

    def _steps_done(self, now: float) -> int:
        """Steps of the run that have ended by `now`: `_duration` solved for the steps, 0 outside a run."""
        if self._phase != _DECODE:
            return 0
        elapsed, growth = now - self._run_start, self._growth_seconds
        linear = self._first_seconds - growth / 2
        # The root of growth/2·k² + linear·k - elapsed, in the form that also holds for growth 0.
        steps = int(2 * elapsed / (linear + sqrt(linear * linear + 2 * growth * elapsed)))
        while self._run_start + self._duration(steps + 1) <= now:
            steps += 1
        while steps and self._run_start + self._duration(steps) > now:
            steps -= 1
        return steps
