"""When the tokens of one container's requests are generated: at once, or as TGI's scheduler and one GPU have them."""

import asyncio
import time
from collections.abc import AsyncGenerator
from math import inf
from typing import Protocol

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.capacity.request import Request
from mistral7b.capacity.scheduler import TgiInstance
from mistral7b.tgi.errors import TgiError


class Clock(Protocol):
    """A time, which may run faster than the machine's."""

    def seconds(self) -> float:
        """Seconds since 1970, which never decrease."""

    def real(self, seconds: float) -> float:
        """What seconds of this clock take on the machine's."""


class MachineClock:
    """The machine's own time, which is not set back."""

    def __init__(self) -> None:
        self._start = time.time() - time.monotonic()

    def seconds(self) -> float:
        """Seconds since 1970."""
        return self._start + time.monotonic()

    def real(self, seconds: float) -> float:
        """The same seconds."""
        return seconds


class Pace(Protocol):
    """Decides when each token of each request is generated. One pace serves all requests of one container."""

    def __call__(self, request: Request, stream: bool) -> AsyncGenerator[int, None]:
        """Yields how many tokens of a request are generated: of a stream whenever there are more, else when all are.

        It notes in `request` when it is admitted, where it may wait for that. The caller closes the iterator at the end
        of the answer, or when the client disconnects: the request then leaves queue and batch.
        """
        ...


async def at_once(request: Request, stream: bool) -> AsyncGenerator[int, None]:
    """Generates every token at once; streams take turns."""
    for there in range(1, request.output_tokens) if stream else ():
        await asyncio.sleep(0)
        yield there
    yield request.output_tokens


class ScheduledPace:
    """Tokens come when the steps of one instance end. One timer wakes all streams, and whole answers at their end."""

    def __init__(self, parameters: PerformanceParameters, limits: RouterLimits, clock: Clock) -> None:
        self._tgi = TgiInstance(parameters, limits, may_block=True)
        self._clock = clock
        self._now, self._due = -inf, inf
        self._timer: asyncio.TimerHandle | None = None
        self._streams = 0
        self._waiting: dict[Request, tuple[asyncio.Future[None], bool]] = {}
        self._measured = clock.seconds(), 0.0

    async def __call__(self, request: Request, stream: bool) -> AsyncGenerator[int, None]:
        """See `Pace`. Raises TgiError if all permits are taken."""
        loop = asyncio.get_running_loop()
        accepted = self._tgi.offer(request, self._run())
        self._streams += stream and accepted
        self._set_timer()
        if not accepted:
            raise TgiError.overloaded()
        try:
            there = 0
            while there < request.output_tokens:
                # A slow client may have let a step or more go by.
                if (more := self._tgi.generated(request, self._now)) > there and (stream or self._ended(request)):
                    there = more
                    yield there
                else:
                    self._waiting[request] = waiting = loop.create_future(), stream
                    await waiting[0]
        finally:
            self._waiting.pop(request, None)
            self._streams -= stream
            if not self._ended(request):
                self._tgi.cancel(request, self._run())
            self._set_timer()

    def utilization(self) -> dict[str, float]:
        """The share of time, in percent, in which the GPU has worked since the last call."""
        (began, before), now = self._measured, self._clock.seconds()
        busy = self._tgi.busy(now)
        self._measured = now, busy
        share = (busy - before) / (now - began) if now > began else 0.0
        return {"GPUUtilization": 100 * min(max(share, 0.0), 1.0)}

    def _ended(self, request: Request) -> bool:
        return request.finished <= self._now

    def _run(self) -> float:
        """Lets the scheduler run to this moment and wakes those for whom there is something; returns the time."""
        now = self._now = max(self._now, self._clock.seconds())
        if self._due <= now:
            self._clear_timer()
            ended = self._tgi.advance(now)
            streams = [one for one, (_, stream) in self._waiting.items() if stream and one.first_token <= now]
            for request in (*ended, *streams):
                future, _ = self._waiting.pop(request, (None, False))
                if future is not None and not future.done():  # else its task is cancelled
                    future.set_result(None)
        return now

    def _set_timer(self) -> None:
        """Sets it to the next event, or to the next token if there are streams."""
        times = self._tgi.next_event(), self._tgi.next_token(self._now) if self._streams else None
        due = min((one for one in times if one is not None), default=inf)
        if due != self._due:
            self._clear_timer()
            if due < inf:
                left = self._clock.real(due - self._clock.seconds())
                self._due, self._timer = due, asyncio.get_running_loop().call_later(left, self._tick, due)

    def _clear_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due, self._timer = inf, None

    def _tick(self, due: float) -> None:
        self._now = max(self._now, due)  # a timer may be early by less than its resolution
        self._run()
        self._set_timer()
