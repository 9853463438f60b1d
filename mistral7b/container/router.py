"""The router of TGI 1.1.0: `POST /invocations` with its validation, limits, errors and formats.

It answers as `router/src/server.rs` does: a stream that is overloaded or invalid has status 200 and one event with the
error. The pace decides when each token is generated.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import replace
from functools import partial
from typing import NamedTuple, Protocol

from mistral7b.container import rendering
from mistral7b.container.generation import Answer, answer
from mistral7b.container.request_log import RequestLog
from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.request import GenerateRequest, UnreadableRequestError, parse_request
from mistral7b.tgi.settings import LauncherSettings
from mistral7b.tgi.validation import ValidRequest, check_before_permit, validate

_LONG_PROMPT = 20_000
"""Characters from which a prompt is tokenized in a thread: some 10 ms that no other request should wait."""


class Pace(Protocol):
    """Decides when each token of each request is generated. One pace serves all requests of one container."""

    def __call__(self, prompt_tokens: int, max_new_tokens: int) -> AsyncGenerator[None, None]:
        """Yield once for every token of a request, when that token is generated.

        The caller closes the iterator at the end of the answer, or when the client disconnects: the request then leaves
        the running batch.
        """
        ...


async def at_once(prompt_tokens: int, max_new_tokens: int) -> AsyncGenerator[None, None]:
    """Generates every token at once; requests take turns."""
    del prompt_tokens
    for _ in range(max_new_tokens):
        await asyncio.sleep(0)
        yield


class Response(NamedTuple):
    """The container's answer, with the one header that SageMaker hands on. The body of a stream comes in parts."""

    status: int
    headers: Mapping[str, str]
    body: bytes | AsyncGenerator[bytes, None]


class TgiContainer:
    """A started container. All requests run on one event loop."""

    def __init__(
        self, settings: LauncherSettings, pace: Pace = at_once, log: Callable[[str], None] | None = None
    ) -> None:
        self.settings = settings
        self.in_flight = 0
        """Requests that hold a permit."""
        self._pace, self._log = pace, log
        # A model from the Hub says there that it is for text generation, and the router then repeats the prompt.
        self._return_full_text = not settings.hf_model_id.startswith("/")

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer `POST /invocations`, whatever the body is."""
        try:
            request = parse_request(headers.get("content-type"), body)
        except UnreadableRequestError as error:
            return Response(error.status, {"content-type": "text/plain; charset=utf-8"}, str(error).encode())
        if request.parameters.return_full_text is None:
            request = replace(request, parameters=replace(request.parameters, return_full_text=self._return_full_text))
        line = RequestLog(request, self._return_full_text)
        if request.stream:
            return Response(200, {"content-type": "text/event-stream"}, self._stream(request, line))
        try:
            status, answered = 200, await self._generate(request, line)
        except TgiError as refused:
            if line.checked:
                self._write(partial(line.refusal, refused))
            status, answered = refused.status, refused.to_json().encode()
        return Response(status, {"content-type": "application/json"}, answered)

    async def _generate(self, request: GenerateRequest, line: RequestLog) -> bytes:
        check_before_permit(request, self.settings)
        line.checked = True
        count = max(1, request.parameters.best_of or 1)
        with ExitStack() as permits:
            for _ in range(count):  # the router runs the sequences of best_of as requests of their own
                permits.enter_context(self._permit())
            valid = await self._validate(request)
            seeds = [valid.seed, *(random.getrandbits(64) for _ in range(count - 1))]
            answers, line.queued = [self._answer(valid) for _ in seeds], time.monotonic()
            await asyncio.gather(*(self._wait_for(valid, made) for made in answers))
        self._succeeded(line, valid, answers[0])
        return rendering.generation(valid, answers, seeds, self._repeated(request))

    async def _stream(self, request: GenerateRequest, line: RequestLog) -> AsyncGenerator[bytes, None]:
        try:
            check_before_permit(request, self.settings)
            line.checked = True
            with self._permit():
                valid = await self._validate(request)
                made, line.queued = self._answer(valid), time.monotonic()
                last = len(made.tokens) - 1
                top_n = request.parameters.top_n_tokens or 0
                async with aclosing(self._ticks(valid, made)) as ticks:
                    async for index in ticks:
                        if index < last:
                            yield rendering.token_event(made.tokens[index], top_n)
                        else:
                            self._succeeded(line, valid, made)
                            yield rendering.last_event(valid, made, self._repeated(request))
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
        seed = rendering.shown_seed(valid, valid.seed)
        self._write(partial(line.success, len(made.tokens), seed, time.monotonic()))

    def _write(self, line: Callable[[], str]) -> None:
        """Writes a line to the log, in a thread: it may have a long prompt, and the log may wait."""
        if (log := self._log) is not None:
            asyncio.get_running_loop().run_in_executor(None, lambda: log(line()))

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
        return request.inputs if request.parameters.return_full_text else None
