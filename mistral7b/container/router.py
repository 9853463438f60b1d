"""The router of TGI 1.1.0: `POST /invocations` with its validation, limits, errors and formats.

It answers as `router/src/server.rs` does: a stream that is overloaded or invalid has status 200 and one event with the
error. The pace decides when each token is generated.
"""

import asyncio
import random
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from mistral7b.capacity.request import Request
from mistral7b.container import rendering
from mistral7b.container.generation import Answer, answer
from mistral7b.container.pace import Clock, MachineClock, Pace, ScheduledPace, at_once
from mistral7b.container.request_log import RequestLog
from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.request import GenerateRequest, UnreadableRequestError, parse_request
from mistral7b.tgi.settings import LauncherSettings
from mistral7b.tgi.validation import ValidRequest, check_before_permit, validate

_LONG_PROMPT = 20_000
"""Characters from which a prompt is tokenized in a thread: some 10 ms that no other request should wait."""


class Response(NamedTuple):
    """The container's answer. The body of a stream comes in parts, of one event or, if it lags, of several."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncGenerator[bytes, None]


class TgiContainer:
    """A started container. All requests run on one event loop."""

    def __init__(
        self,
        settings: LauncherSettings,
        pace: Pace = at_once,
        log: Callable[[str], None] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """With a `clock` answers take time, and are as long as requests let them be."""
        self.settings = settings
        self.in_flight = 0
        """Requests that hold a permit."""
        self._pace, self._log = pace, log
        self._clock, self._endless = clock or MachineClock(), clock is not None
        # A model from the Hub says there that it is for text generation, and the router then repeats the prompt.
        self._return_full_text = not settings.hf_model_id.startswith("/")

    def utilization(self) -> Mapping[str, float]:
        """By metric of CloudWatch, the load in percent since the last call; nothing where answers take no time."""
        return self._pace.utilization() if isinstance(self._pace, ScheduledPace) else {}

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer `POST /invocations`, whatever the body is."""
        try:
            request = parse_request(headers.get("content-type"), body)
        except UnreadableRequestError as error:
            return Response(error.status, {"content-type": "text/plain; charset=utf-8"}, str(error).encode())
        if request.parameters.return_full_text is None:
            request = replace(request, parameters=replace(request.parameters, return_full_text=self._return_full_text))
        line = RequestLog(request, self._return_full_text, self._clock)
        headers = {"x-compute-type": "gpu+optimized", "x-compute-characters": str(len(request.inputs))}
        if request.stream:
            return Response(200, headers | {"content-type": "text/event-stream"}, self._stream(request, line))
        try:
            status, answered = 200, await self._generate(request, line)
            headers |= line.headers
        except TgiError as refused:
            if line.checked:
                self._write(partial(line.refusal, refused))
            status, answered, headers = refused.status, refused.to_json().encode(), {}
        return Response(status, headers | {"content-type": "application/json"}, answered)

    async def _generate(self, request: GenerateRequest, line: RequestLog) -> bytes:
        check_before_permit(request, self.settings)
        line.checked = True
        count = max(1, request.parameters.best_of or 1)
        with ExitStack() as permits:
            for _ in range(count):  # the router runs the sequences of best_of as requests of their own
                permits.enter_context(self._permit())
            valid = await self._validate(request)
            seeds = [valid.seed, *(random.getrandbits(64) for _ in range(count - 1))]
            made = self._answer(valid)
            sequences = [self._sequence(valid, made) for _ in seeds]
            line.sequence = sequences[0]
            await asyncio.gather(*map(self._wait_for, sequences))
        self._succeeded(line, valid, made)
        return rendering.generation(valid, [made] * count, seeds, self._repeated(request))

    async def _stream(self, request: GenerateRequest, line: RequestLog) -> AsyncGenerator[bytes, None]:
        try:
            check_before_permit(request, self.settings)
            line.checked = True
            with self._permit():
                valid = await self._validate(request)
                made = self._answer(valid)
                line.sequence = sequence = self._sequence(valid, made)
                top_n = request.parameters.top_n_tokens or 0
                sent, others = 0, made.tokens[:-1]
                async with aclosing(self._pace(sequence, stream=True)) as ticks:
                    async for there in ticks:
                        events = [rendering.token_event(token, top_n) for token in others[sent:there]]
                        if there > len(others):
                            self._succeeded(line, valid, made)
                            events.append(rendering.last_event(valid, made, self._repeated(request)))
                        sent = there
                        yield b"".join(events)
        except TgiError as error:
            self._write(partial(line.refusal, error))
            yield rendering.event(error.to_json())

    @contextmanager
    def _permit(self) -> Iterator[None]:
        if self.in_flight >= self.settings.max_concurrent_requests:
            raise TgiError.overloaded()
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1

    async def _validate(self, request: GenerateRequest) -> ValidRequest:
        if len(request.inputs) > _LONG_PROMPT:
            return await asyncio.to_thread(validate, request, self.settings)
        return validate(request, self.settings)

    def _succeeded(self, line: RequestLog, valid: ValidRequest, made: Answer) -> None:
        line.end(len(made.tokens))
        self._write(partial(line.success, rendering.shown_seed(valid, valid.seed)))

    def _write(self, line: Callable[[], str]) -> None:
        """Writes a line to the log, in a thread: it may have a long prompt, and the log may wait."""
        if (log := self._log) is not None:
            asyncio.get_running_loop().run_in_executor(None, lambda: log(line()))

    def _answer(self, request: ValidRequest) -> Answer:
        parameters = request.parameters
        return answer(len(request.prompt), parameters.max_new_tokens, parameters.stop, endless=self._endless)

    def _sequence(self, request: ValidRequest, made: Answer) -> Request:
        longest = request.parameters.max_new_tokens
        samples = rendering.samples(request)
        return Request(self._clock.seconds(), len(request.prompt), len(made.tokens), longest, samples=samples)

    async def _wait_for(self, sequence: Request) -> None:
        async with aclosing(self._pace(sequence, stream=False)) as ticks:
            async for _ in ticks:
                pass

    def _repeated(self, request: GenerateRequest) -> str | None:
        return request.inputs if request.parameters.return_full_text else None
