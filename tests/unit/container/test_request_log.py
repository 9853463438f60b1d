"""The lines that requests leave in the container's log."""

import asyncio
import json
import re
from typing import Any

import pytest

from mistral7b.container.request_log import debug, duration
from mistral7b.container.router import TgiContainer
from mistral7b.operate.logs import parse
from mistral7b.tgi import LauncherSettings


def lines_of(*bodies: dict[str, Any], **settings: Any) -> list[str]:
    """The lines after these requests, one after the other."""
    lines: list[str] = []
    container = TgiContainer(LauncherSettings().model_copy(update=settings), log=lines.append)

    async def ask() -> None:
        for body in bodies:
            response = await container.invoke({"content-type": "application/json"}, json.dumps(body).encode())
            if not isinstance(response.body, bytes):
                async for _ in response.body:
                    pass

    asyncio.run(ask())  # which waits for the threads that write
    return lines


def logged(*bodies: dict[str, Any], **settings: Any) -> list[tuple[str, str]]:
    """Level and message of each line after these requests."""
    return [parse(line) for line in lines_of(*bodies, **settings)]


DEFAULTS = (
    "GenerateParameters { best_of: None, temperature: None, repetition_penalty: None, top_k: None, top_p: None, "
    "typical_p: None, do_sample: false, max_new_tokens: 2, return_full_text: Some(false), stop: [], truncate: None, "
    "watermark: false, details: false, decoder_input_details: false, seed: None, top_n_tokens: None }"
)


@pytest.mark.parametrize(("stream", "handler", "line"), [(False, "generate", 289), (True, "generate_stream", 457)])
def test_success_has_the_spans_fields_and_place_of_the_router(stream: bool, handler: str, line: int) -> None:
    [written] = lines_of({"inputs": "Hi", "stream": stream, "parameters": {"max_new_tokens": 2}})
    spent = r'"[\d.]+(?:s|ms|µs|ns)"'
    assert re.fullmatch(
        rf"\d{{4}}-\d\d-\d\dT[\d:]{{8}}\.\d{{6}}Z  INFO compat_generate{{default_return_full_text=false}}:"
        rf"{handler}{{parameters={re.escape(DEFAULTS)} total_time={spent} validation_time={spent} queue_time={spent} "
        rf'inference_time={spent} time_per_token={spent} seed="None"}}: '
        rf"text_generation_router::server: router/src/server\.rs:{line}: Success",
        written,
    )


def test_a_refusal_holds_the_request_in_its_spans() -> None:
    request = f'request=GenerateRequest {{ inputs: "", parameters: {DEFAULTS} }}'
    spans = f"compat_generate{{default_return_full_text=false}}:generate{{parameters={DEFAULTS}}}:"
    [written] = lines_of({"inputs": "", "parameters": {"max_new_tokens": 2}})
    assert written.partition("Z ERROR ")[2] == (
        f"{spans}generate{{{request}}}:generate_stream{{{request}}}: "
        "text_generation_router::infer: router/src/infer.rs:110: `inputs` cannot be empty"
    )


def test_a_prompt_that_looks_like_a_line_of_the_log_is_not_taken_for_it() -> None:
    prompt = "x: text_generation_router::infer: router/src/infer.rs:1: Success"
    assert logged({"inputs": prompt, "parameters": {"top_k": 0}}) == [("ERROR", "`top_k` must be strictly positive")]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('a"\\\n\x00\x1b\u00e9', r'"a\"\\\n\0\u{1b}é"'),
        (0.1, "0.1"),
        (1.0, "1.0"),
        (1e20, "100000000000000000000.0"),
        (float("inf"), "inf"),
        (["a", "b"], '["a", "b"]'),
        (True, "true"),
    ],
)
def test_values_are_shown_as_rust_shows_them(value: object, shown: str) -> None:
    assert debug(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"), [(0.0, "0ns"), (1.2e-6, "1.2µs"), (0.049283162, "49.283162ms"), (1.5, "1.5s"), (120, "120s")]
)
def test_durations_are_shown_as_rust_shows_them(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


@pytest.mark.parametrize("stream", [False, True])
def test_answered_request_is_logged_with_its_time(stream: bool) -> None:
    [(level, message)] = logged({"inputs": "Hi", "stream": stream})
    assert level == "INFO"
    assert re.fullmatch(r"Success, \S+ in all, 0ns queued, \S+ a token", message)


@pytest.mark.parametrize("stream", [False, True])
def test_refusals_are_logged_as_the_router_words_them(stream: bool) -> None:
    wrong = {"inputs": "Hi", "stream": stream, "parameters": {"temperature": 0.0}}
    assert logged(wrong) == [("ERROR", "`temperature` must be strictly positive")]
    assert logged(wrong, max_concurrent_requests=0) == [("ERROR", "no permits available")]


def test_a_stream_refused_before_the_permit_is_logged_by_the_server() -> None:
    [written] = lines_of({"inputs": "Hi", "stream": True, "parameters": {"decoder_input_details": True}})
    assert "Z ERROR text_generation_router::server: router/src/server.rs:376: Input validation error: " in written


def test_what_else_is_refused_before_the_permit_is_not_logged() -> None:
    assert logged({"inputs": "Hi", "parameters": {"best_of": 9}}, max_best_of=2) == []
    assert logged({"parameters": {}}) == []
