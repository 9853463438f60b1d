"""The lines that requests leave in the container's log."""

import asyncio
import json
from typing import Any

import pytest

from mistral7b.container.router import TgiContainer
from mistral7b.operate.logs import parse
from mistral7b.tgi import LauncherSettings


def logged(*bodies: dict[str, Any], **settings: Any) -> list[tuple[str, str]]:
    """Level and message of each line after these requests, one after the other."""
    lines: list[str] = []
    container = TgiContainer(LauncherSettings().model_copy(update=settings), log=lines.append)

    async def ask() -> None:
        for body in bodies:
            response = await container.invoke({"content-type": "application/json"}, json.dumps(body).encode())
            if not isinstance(response.body, bytes):
                async for _ in response.body:
                    pass

    asyncio.run(ask())  # which waits for the threads that write
    return [parse(line) for line in lines]


@pytest.mark.parametrize("stream", [False, True])
def test_answered_request_is_logged_with_its_time(stream: bool) -> None:
    [(level, message)] = logged({"inputs": "Hi", "stream": stream})
    assert level == "INFO"
    assert message.startswith("Success, ")
    assert message.endswith("ms in all")


@pytest.mark.parametrize("stream", [False, True])
def test_refusals_are_logged_as_the_router_words_them(stream: bool) -> None:
    wrong = {"inputs": "Hi", "stream": stream, "parameters": {"temperature": 0.0}}
    assert logged(wrong) == [("ERROR", "`temperature` must be strictly positive")]
    assert logged(wrong, max_concurrent_requests=0) == [("ERROR", "no permits available")]


def test_what_is_refused_before_the_queue_is_not_logged() -> None:
    assert logged({"inputs": "Hi", "parameters": {"best_of": 9}}, max_best_of=2) == []
    assert logged({"parameters": {}}) == []
