"""The lines that requests leave in the log: TGI's spans and fields, as tracing-subscriber's default format has them.

A line is here without its colours. In 1.1.0 the line of a refusal holds the whole prompt, in the fields of two spans
(huggingface/text-generation-inference#1207). Lines of `infer.rs` are counted in its source; those of `server.rs` are
from a public log of 1.0.3, the nearest there is.
"""

import math
import struct
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any, NamedTuple, get_args, get_type_hints

from mistral7b.container.rendering import log_line
from mistral7b.tgi.request import GenerateParameters, GenerateRequest

NO_PERMIT, INVALID = 103, 110
"""Lines of `router/src/infer.rs` that log a refusal."""
_HINTS = get_type_hints(GenerateParameters)
_ESCAPES = {ord("\0"): r"\0", **str.maketrans({"\t": r"\t", "\n": r"\n", "\r": r"\r", '"': r"\"", "\\": r"\\"})}


class Times(NamedTuple):
    """Moments in a request's life, in seconds. The pace shows tokens only: a wait in the queue counts as inference."""

    arrived: float
    queued: float
    ended: float


def success(request: GenerateRequest, full_text: bool, times: Times, tokens: int, seed: int | None) -> str:
    """The line of an answered request. `full_text` is the router's default of `return_full_text`."""
    inference = times.ended - times.queued
    shown = {
        "total_time": duration(times.ended - times.arrived),
        "validation_time": duration(times.queued - times.arrived),
        "queue_time": duration(0),
        "inference_time": duration(inference),
        "time_per_token": duration(inference / tokens),
        "seed": "None" if seed is None else f"Some({seed})",
    }
    spans = _spans(request, full_text, "".join(f' {name}="{value}"' for name, value in shown.items()))
    return log_line("INFO", "Success", f"{spans}: {_server(457 if request.stream else 289)}")


def refusal(request: GenerateRequest, full_text: bool, line: int, message: str) -> str:
    """The line of a request that `infer.rs` refuses at `line`."""
    shown = f"request=GenerateRequest {{ inputs: {debug(request.inputs)}, {_parameters(request, full_text, ': ')} }}"
    best_of = request.parameters.best_of or 1
    inner = "async_stream" if request.stream else f"generate{{{shown}}}"
    inner = f"generate_best_of{{{shown} best_of={best_of}}}:{inner}" if best_of > 1 else inner
    spans = f"{_spans(request, full_text)}:{inner}:generate_stream{{{shown}}}"
    return log_line("ERROR", message, f"{spans}: text_generation_router::infer: router/src/infer.rs:{line}")


def stream_refusal(request: GenerateRequest, message: str) -> str:
    """The line of a stream that `server.rs` refuses, outside all spans, for `best_of` or `decoder_input_details`."""
    return log_line("ERROR", message, _server(371 if request.parameters.best_of not in (None, 1) else 376))


def _server(line: int) -> str:
    return f"text_generation_router::server: router/src/server.rs:{line}"


def _spans(request: GenerateRequest, full_text: bool, more: str = "") -> str:
    handler = "generate_stream" if request.stream else "generate"
    default = f"default_return_full_text={debug(full_text)}"
    return f"compat_generate{{{default}}}:{handler}{{{_parameters(request, full_text, '=')}{more}}}"


def _parameters(request: GenerateRequest, full_text: bool, sign: str) -> str:
    given = request.parameters
    given = replace(given, return_full_text=full_text) if given.return_full_text is None else given
    return f"parameters{sign}{debug(given)}"


def debug(value: object) -> str:
    """Rust's Debug of a request's value."""
    if is_dataclass(value):
        shown = (f"{one.name}: {_field(getattr(value, one.name), _HINTS[one.name])}" for one in fields(value))
        return f"{type(value).__name__} {{ {', '.join(shown)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(debug, value))}]"
    if isinstance(value, str):
        text = value.translate(_ESCAPES)
        return f'"{text}"' if text.isprintable() else f'"{"".join(map(_escaped, text))}"'
    if isinstance(value, float) and math.isfinite(value):
        digits = next(text for n in range(1, 10) if _f32(float(text := f"{value:.{n}g}")) == value)
        return f"{Decimal(digits):f}" if "." in f"{Decimal(digits):f}" else f"{Decimal(digits):f}.0"
    return str(value).lower()


def _field(value: object, hint: Any) -> str:
    if type(None) in get_args(hint):
        return "None" if value is None else f"Some({debug(value)})"
    return debug(value)


def _escaped(letter: str) -> str:
    return letter if letter.isprintable() else f"\\u{{{ord(letter):x}}}"


def _f32(value: float) -> float:
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def duration(seconds: float) -> str:
    """Rust's Debug of a Duration: nanoseconds in the largest unit of which there is one, such as 49.283162ms."""
    nanoseconds = round(seconds * 1e9)
    unit, size = next(((u, n) for u, n in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)) if nanoseconds >= n), ("ns", 1))
    return f"{(Decimal(nanoseconds) / size).normalize():f}{unit}"
