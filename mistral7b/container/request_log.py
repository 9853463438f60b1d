"""The line that a request leaves in the log: TGI's spans and fields, as tracing-subscriber's default format has them.

The colours are left out. In 1.1.0 the line of a refusal has the whole prompt, in the fields of two spans
(huggingface/text-generation-inference#1207). Lines of `infer.rs` are counted in its source; those of `server.rs` are
from a public log of 1.0.3, the nearest there is.
"""

import math
from ctypes import c_float
from dataclasses import fields, is_dataclass
from decimal import Decimal
from typing import get_args, get_type_hints

from mistral7b.capacity.request import Request
from mistral7b.container.pace import Clock
from mistral7b.container.rendering import log_line
from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.request import GenerateParameters, GenerateRequest

_HINTS = get_type_hints(GenerateParameters)
_ESCAPES = {0: r"\0", **str.maketrans({"\t": r"\t", "\n": r"\n", "\r": r"\r", '"': r"\"", "\\": r"\\"})}
_TIMES = "total_time", "validation_time", "queue_time", "inference_time", "time_per_token"
_INFER, _SERVER = "infer: router/src/infer.rs", "server: router/src/server.rs"


class RequestLog:
    """What is known of a request for its line, and for the headers of its answer."""

    def __init__(self, request: GenerateRequest, full_text: bool, clock: Clock) -> None:
        """`full_text` is the router's default of `return_full_text`, which the request's parameters have by now."""
        self._request, self._full_text, self._clock = request, full_text, clock
        self._arrived = clock.seconds()
        self.sequence: Request | None = None
        """What the pace is asked for, once it is: the first of `best_of`."""
        self.checked = False
        """Whether it has passed the checks before the permit. Of these only a stream's are logged."""
        self._times: dict[str, float] = {}

    def end(self, tokens: int) -> None:
        """Notes that an answer of so many tokens is complete."""
        ended, asked = self._clock.seconds(), self.sequence
        queued = asked.arrival if asked else self._arrived
        started = queued if asked is None or math.isnan(asked.admitted) else asked.admitted
        times = ended - self._arrived, queued - self._arrived, started - queued, ended - started
        self._times = dict(zip(_TIMES, (*times, times[-1] / tokens), strict=True))

    @property
    def headers(self) -> dict[str, str]:
        """The times of an answer that is complete, in whole milliseconds."""
        shown = {f"x-{name.replace('_', '-')}": str(int(1000 * one)) for name, one in self._times.items()}
        return shown | {"x-compute-time": shown["x-total-time"]}

    def success(self, seed: int | None) -> str:
        """The line of an answer that is complete. `seed` is that of the sampling."""
        shown = "".join(f' {name}="{duration(one)}"' for name, one in self._times.items())
        seed_shown = "None" if seed is None else f"Some({seed})"
        spans = self._handler(f'{shown} seed="{seed_shown}"')
        return self._line("INFO", "Success", spans, _SERVER, 457 if self._request.stream else 289)

    def refusal(self, error: TgiError) -> str:
        """The line of a request that is refused."""
        given = self._request.parameters
        if not self.checked:
            return self._line("ERROR", error.message, "", _SERVER, 376 if given.best_of in (None, 1) else 371)
        shown = f"request=GenerateRequest {{ inputs: {debug(self._request.inputs)}, parameters: {debug(given)} }}"
        inner = "async_stream" if self._request.stream else f"generate{{{shown}}}"
        if (given.best_of or 1) > 1:
            inner = f"generate_best_of{{{shown} best_of={given.best_of}}}:{inner}"
        spans = f"{self._handler()}{inner}:generate_stream{{{shown}}}: "
        if error.error_type == "overloaded":
            return self._line("ERROR", "no permits available", spans, _INFER, 103)
        return self._line("ERROR", error.message.removeprefix("Input validation error: "), spans, _INFER, 110)

    def _handler(self, times: str = "") -> str:
        handler = "generate_stream" if self._request.stream else "generate"
        default = f"compat_generate{{default_return_full_text={debug(self._full_text)}}}"
        return f"{default}:{handler}{{parameters={debug(self._request.parameters)}{times}}}:"

    def _line(self, level: str, message: str, spans: str, module: str, line: int) -> str:
        target = f"{spans.strip()} text_generation_router::{module}:{line}".strip()
        return log_line(level, message, target, self._clock.seconds())


def debug(value: object) -> str:
    """Rust's Debug of a value of a request or setting."""
    if is_dataclass(value):
        shown = ((one.name, getattr(value, one.name)) for one in fields(value))
        shown_fields = (f"{name}: {_field(one, type(None) in get_args(_HINTS[name]))}" for name, one in shown)
        return f"{type(value).__name__} {{ {', '.join(shown_fields)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(debug, value))}]"
    if isinstance(value, str):
        escaped = value.translate(_ESCAPES)
        return '"' + "".join(one if one.isprintable() else f"\\u{{{ord(one):x}}}" for one in escaped) + '"'
    if isinstance(value, float) and math.isfinite(single := c_float(value).value):
        shortest = next(text for n in range(1, 10) if c_float(float(text := f"{single:.{n}g}")).value == single)
        digits = f"{Decimal(shortest):f}"
        return digits if "." in digits else f"{digits}.0"
    return str(value).lower()


def _field(value: object, optional: bool) -> str:
    if value is None:
        return "None"
    return f"Some({debug(value)})" if optional else debug(value)


def duration(seconds: float) -> str:
    """Rust's Debug of a Duration: in the largest unit of which there is one, such as 49.283162ms."""
    whole = round(seconds * 1e9)
    unit, size = next(((u, n) for u, n in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)) if whole >= n), ("ns", 1))
    return f"{(Decimal(whole) / size).normalize():f}{unit}"
