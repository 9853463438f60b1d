"""The TGI container of one instance: what `POST /invocations` does, with real validation, limits, errors and formats.

It serves as `router/src/server.rs` of TGI 1.1.0 does. An overloaded or invalid stream is an event in a stream of status
200, as there. Timings come from the pace; without one, tokens are there at once.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field

from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.request import GenerateRequest, UnreadableRequestError, parse_request
from mistral7b.tgi.settings import LauncherSettings
from mistral7b.tgi.validation import ValidRequest, check_before_permit, validate
from sagehost.hosting import rendering
from sagehost.hosting.generation import Answer, answer
from sagehost.hosting.pace import Pace, at_once

_LONG_PROMPT = 20_000
"""Characters from which a prompt is tokenized in a thread: some 10 ms that no other request should wait."""


@dataclass(frozen=True)
class ContainerResponse:
    """What the container answers: a body, or the parts of one as they come."""

    status: int
    body: bytes | AsyncGenerator[bytes, None]
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content_type(self) -> str:
        """The `content-type` header."""
        return self.headers.get("content-type", "application/json")


class TgiContainer:
    """A started container. All its methods run on one event loop."""

    def __init__(self, settings: LauncherSettings, pace: Pace = at_once) -> None:
        self.settings = settings
        self.in_flight = 0
        """Requests that hold a permit."""
        self._pace = pace
        # A model from the Hub says there that it is for text generation, and the router then repeats the prompt.
        self._return_full_text = not settings.hf_model_id.startswith("/")

    async def invoke(self, content_type: str | None, body: bytes) -> ContainerResponse:
        """Answer one request, whatever is in it."""
        started = time.monotonic()
        try:
            request = parse_request(content_type, body)
        except UnreadableRequestError as error:
            return ContainerResponse(error.status, str(error).encode(), {"content-type": "text/plain; charset=utf-8"})
        headers = {"x-compute-type": "gpu+optimized", "x-compute-characters": str(len(request.inputs))}
        if request.stream:
            headers |= {"content-type": "text/event-stream", "cache-control": "no-cache", "x-accel-buffering": "no"}
            return ContainerResponse(200, self._stream(request), headers)
        try:
            return await self._generate(request, started, headers)
        except TgiError as error:
            return ContainerResponse(error.status, error.to_json().encode(), {"content-type": "application/json"})

    async def _generate(self, request: GenerateRequest, started: float, headers: dict[str, str]) -> ContainerResponse:
        check_before_permit(request, self.settings)
        count = max(1, request.parameters.best_of or 1)
        with ExitStack() as permits:
            for _ in range(count):  # the router runs the sequences of best_of as requests of their own
                permits.enter_context(self._permit())
            valid = await self._validate(request)
            queued = time.monotonic()
            seeds = [valid.seed, *(random.getrandbits(64) for _ in range(count - 1))]
            answers = [self._answer(valid) for _ in seeds]
            await asyncio.gather(*(self._wait_for(valid, made) for made in answers))
        done = time.monotonic()
        headers |= {
            "content-type": "application/json",
            "x-compute-time": _milliseconds(done - started),
            "x-total-time": _milliseconds(done - started),
            "x-validation-time": _milliseconds(queued - started),
            "x-queue-time": "0",
            "x-inference-time": _milliseconds(done - queued),
            "x-time-per-token": _milliseconds((done - queued) / len(answers[0].tokens)),
        }
        return ContainerResponse(200, rendering.generation(valid, answers, seeds, self._repeated(request)), headers)

    async def _stream(self, request: GenerateRequest) -> AsyncGenerator[bytes, None]:
        try:
            check_before_permit(request, self.settings)
            with self._permit():
                valid = await self._validate(request)
                made = self._answer(valid)
                last = len(made.tokens) - 1
                top_tokens = bool(request.parameters.top_n_tokens)
                async with aclosing(self._ticks(valid, made)) as ticks:
                    async for index in ticks:
                        if index < last:
                            yield rendering.token_event(made.tokens[index], top_tokens)
                        else:
                            yield rendering.last_event(valid, made, self._repeated(request))
        except TgiError as error:
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

    def _answer(self, request: ValidRequest) -> Answer:
        parameters = request.parameters
        return answer(len(request.prompt), parameters.max_new_tokens, parameters.stop)

    async def _wait_for(self, request: ValidRequest, made: Answer) -> None:
        async with aclosing(self._ticks(request, made)) as ticks:
            async for _ in ticks:
                pass

    async def _ticks(self, request: ValidRequest, made: Answer) -> AsyncGenerator[int, None]:
        """The indices of the answer's tokens, each when the pace lets it come."""
        async with aclosing(self._pace(len(request.prompt), request.parameters.max_new_tokens)) as pace:
            for index in range(len(made.tokens)):
                await anext(pace)
                yield index

    def _repeated(self, request: GenerateRequest) -> str | None:
        wanted = request.parameters.return_full_text
        return request.inputs if (self._return_full_text if wanted is None else wanted) else None


def _milliseconds(seconds: float) -> str:
    return str(int(seconds * 1000))
