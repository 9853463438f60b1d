"""A real model in the container: llama.cpp, vLLM, Ollama or TGI writes the answers, by TGI 1.1.0's limits and formats.

`backends.json` has for each how it is recognized, what it takes of TGI's parameters, and what its events hold. All are
asked for a stream, of which each part with text counts as a token. Stop sequences are looked for here, after each token
as in TGI: backends cut them off, and most do not say which one it was.
"""

import asyncio
import copy
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing, suppress
from functools import partial
from importlib.resources import files
from typing import Any, NamedTuple, Self
from urllib.parse import unquote, urlsplit

import h11
import jmespath

from mistral7b.capacity.request import Request
from mistral7b.container import rendering
from mistral7b.container.request_log import RequestLog
from mistral7b.container.router import Response, TgiContainer
from mistral7b.tgi import tokenizer
from mistral7b.tgi.errors import TgiError
from mistral7b.tgi.request import GenerateRequest
from mistral7b.tgi.settings import LauncherSettings
from mistral7b.tgi.validation import ValidRequest, check_before_permit

VARIABLE = "MISTRAL7B_MODEL_URL"
"""The environment variable of the embedded AWS's process that has the backend's URL."""
SILENT_SECONDS = 480
"""How long a backend may send nothing: a laptop reads a long prompt for minutes. SageMaker waits no longer either."""
_PROBE_SECONDS = 10  # for a list of models

_URL = re.compile(r"(https?://(?:[\w.-]+|\[[\da-f:.]+\])(?::\d+)?(?:/[^\s?#]*?)?)/?(?:\?model=(\S+))?", re.ASCII | re.I)
_REASONS = {"stop": "eos_token", "eos_token": "eos_token", "length": "length", "stop_sequence": "stop_sequence"}


class BackendError(TgiError):
    """The backend cannot be reached, refuses, or breaks off."""

    def __init__(self, reason: str) -> None:
        super().__init__(424, "generation", f"Request failed during generation: {reason}")
        self.reason = reason


class Backend(NamedTuple):
    """A server that writes answers, and how it is asked."""

    url: str
    name: str
    model: str
    dialect: Mapping[str, Any]

    @classmethod
    async def connect(cls, text: str) -> Self:
        """The backend at a URL such as http://localhost:11434?model=mistral:instruct. Raises BackendError."""
        if not (parts := _URL.fullmatch(text)):  # the message does not repeat it: it may hold a password
            raise BackendError("write http://HOST:PORT, without user and password; ?model=NAME chooses one of several")
        url, wanted, why = parts[1], unquote(parts[2] or ""), ""
        table: dict[str, Any] = json.loads(files("mistral7b.container").joinpath("backends.json").read_text("utf-8"))
        for name, dialect in table.items():
            try:
                async with asyncio.timeout(_PROBE_SECONDS), aclosing(_answer(url + dialect["probe"])) as body:
                    listed = _object(b"".join([part async for part in body]))
            except TimeoutError:
                raise BackendError(f"{url} does not answer within {_PROBE_SECONDS} s") from None
            except BackendError as error:
                why = f" ({error.reason})"
                continue
            models = [str(model) for model in jmespath.search(dialect["models"], listed) or []]
            found = [one for one in models if wanted in ("", one, one.removesuffix(":latest"))]
            if len(found) == 1:
                return cls(url, name, found[0], dialect)
            if models:
                raise BackendError(f"{name} at {url} has {', '.join(models)}: choose by ?model= (now {wanted!r})")
            why = f" ({dialect['probe']} lists no model)"
        raise BackendError(f"{url} answers as none of {', '.join(table)} with a model{why}")

    async def generate(self, prompt: str, valid: ValidRequest, context: int) -> AsyncGenerator[dict[str, Any], None]:
        """TGI's event of each token, with null for what the backend does not tell. The last has text and details."""
        taken, parameters, seed = self.dialect["fields"], valid.parameters, rendering.shown_seed(valid, valid.seed)
        values = {**vars(parameters), "prompt": prompt, "model": self.model, "context": context, "seed": valid.seed}
        for name in self.dialect["refused"]:
            if values[name] is True or values[name] not in (None, False, 0, 1):  # 1 is without effect for all of them
                raise TgiError.validation(f"`{name}` cannot be passed on to {self.name} ({VARIABLE}): leave it out")
        if "do_sample" not in taken:
            values["seed"] %= 2**31  # as large as all of them take
            if seed is None:
                values["temperature"] = 0.0  # greedy
        body: dict[str, Any] = copy.deepcopy(self.dialect["body"])  # switches off what TGI does not do by default
        for name, path in taken.items():
            parent, _, last = path.rpartition(".")
            if values[name] is not None:
                (body[parent] if parent else body)[last] = values[name]
        text, tokens, count, held, ended = "", 0, None, None, None
        async with aclosing(_objects(self.url + self.dialect["path"], body)) as objects:
            async for one in objects:
                found = jmespath.search(self.dialect["event"], one)
                count, ended = found["count"] or count, found["finish"] or ended
                # The end of the sequence is a token without text. Other events without text are no tokens.
                end = not found["text"] and _REASONS.get(found["finish"]) == "eos_token"
                if not (found["text"] or found.get("id") is not None or end):
                    continue
                if held:
                    yield held
                held, tokens = _event(found, special=end), tokens + 1
                text += "" if held["token"]["special"] else held["token"]["text"]
                more = tokens < parameters.max_new_tokens and not end
                if more and text.endswith(tuple(parameters.stop)):
                    count, ended = tokens, "stop_sequence"
                    break
                if more and ended is None:
                    yield held
                    held = None
        if ended not in _REASONS:
            raise BackendError(f"the stream of {self.url} ended without an answer's end ({ended})")
        details = {"finish_reason": _REASONS[ended], "generated_tokens": count or max(1, tokens), "seed": seed}
        yield (held or _event({})) | {"generated_text": text, "details": details}


async def _answer(url: str, body: object = None) -> AsyncGenerator[bytes, None]:
    """The parts of an answer's body, to GET, or to POST if there is something to send. No proxy is used."""
    data = b"" if body is None else json.dumps(body).encode()
    http, writer, status, refusal = h11.Connection(h11.CLIENT), None, None, b""
    try:
        where = urlsplit(url)
        tls, default = (True, 443) if where.scheme == "https" else (None, 80)
        async with asyncio.timeout(10):
            reader, writer = await asyncio.open_connection(where.hostname, where.port or default, ssl=tls)
        headers = [("host", where.netloc), ("content-type", "application/json"), ("content-length", str(len(data)))]
        request = h11.Request(method="POST" if data else "GET", target=where.path, headers=headers)
        for sent in (request, h11.Data(data=data), h11.EndOfMessage()):
            writer.write(http.send(sent) or b"")
        while not isinstance(event := http.next_event(), h11.EndOfMessage):
            if event is h11.NEED_DATA:
                async with asyncio.timeout(SILENT_SECONDS):
                    http.receive_data(await reader.read(65_536))
            elif isinstance(event, h11.Response):
                status = event.status_code
            elif isinstance(event, h11.Data) and status == 200:
                yield bytes(event.data)
            elif isinstance(event, h11.Data):
                refusal += event.data
    except (OSError, ValueError, h11.ProtocolError) as error:
        raise BackendError(f"{url}: {str(error) or 'no answer in time'}") from None
    finally:  # also if the client has gone: the backend then stops its work
        if writer is not None:
            writer.close()
    if status != 200:
        raise BackendError(f"{url} answered {status}: {' '.join(refusal[:500].decode(errors='replace').split())}")


async def _objects(url: str, body: object) -> AsyncGenerator[dict[str, Any], None]:
    """The objects of server-sent events or of lines of JSON, wherever the bytes are cut."""
    rest = b""
    async with aclosing(_answer(url, body)) as parts:
        async for part in parts:
            *lines, rest = (rest + part).split(b"\n")
            for one in filter(None, map(_object, lines)):
                yield one


def _object(line: bytes) -> dict[str, Any] | None:
    """The object in a line, if it has data; the other fields of server-sent events have none."""
    data = line.removeprefix(b"data:").strip()
    if not data or data == b"[DONE]" or re.match(rb"(event|id|retry)?:", data):
        return None
    with suppress(ValueError):
        if isinstance(value := json.loads(data), dict) and not value.get("error"):
            return value
    raise BackendError(f"the backend sent {data[:1000].decode(errors='replace')}")


def _event(found: Mapping[str, Any], *, special: bool = False) -> dict[str, Any]:
    token = {"id": found.get("id"), "text": str(found.get("text") or ""), "logprob": found.get("logprob")}
    return {"token": token | {"special": found.get("special") or special}, "generated_text": None, "details": None}


class BackendContainer(TgiContainer):
    """A TGI container whose answers a backend writes, in its own time."""

    def __init__(self, settings: LauncherSettings, backend: Backend, log: Callable[[str], None] | None = None) -> None:
        super().__init__(settings, log=log)
        self._backend = backend

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer `POST /invocations`; the custom attributes name the backend."""
        response = await super().invoke(headers, body)
        named = re.sub("[^ -~]", "?", f"backend={self._backend.name}; model={self._backend.model}")[:1024]
        return response._replace(headers={**response.headers, "x-amzn-sagemaker-custom-attributes": named})

    async def _generate(self, request: GenerateRequest, line: RequestLog) -> bytes:
        async with aclosing(self._events(request, line)) as events:
            every = [event async for event in events]
        shown = {"generated_text": every[-1]["generated_text"]}
        if details := every[-1]["details"]:
            shown["details"] = details | {"prefill": [], "tokens": [event["token"] for event in every]}
        return rendering.dumps([shown]).encode()

    async def _stream(self, request: GenerateRequest, line: RequestLog) -> AsyncGenerator[bytes, None]:
        try:
            async with aclosing(self._events(request, line)) as events:
                async for event in events:
                    yield rendering.event(rendering.dumps(event))
        except TgiError as error:
            self._write(partial(line.refusal, error))
            yield rendering.event(error.to_json())

    async def _events(self, request: GenerateRequest, line: RequestLog) -> AsyncGenerator[dict[str, Any], None]:
        check_before_permit(request, self.settings)
        line.checked = True
        with self._permit():
            valid = await self._validate(request)
            line.sequence = Request(self._clock.seconds(), len(valid.prompt), 1, valid.parameters.max_new_tokens)
            cut = request.parameters.truncate is not None and request.parameters.truncate <= len(valid.prompt)
            prompt = tokenizer.decode(valid.prompt[1:]) if cut else request.inputs  # the backend adds `<s>`
            async with aclosing(self._backend.generate(prompt, valid, self.settings.max_total_tokens)) as events:
                async for event in events:
                    if details := event["details"]:
                        line.end(details["generated_tokens"])
                        self._write(partial(line.success, details["seed"]))
                        event["generated_text"] = (self._repeated(request) or "") + event["generated_text"]
                        event["details"] = details if request.parameters.details else None
                    yield event


def start(url: str, settings: LauncherSettings, log: Callable[[str], None]) -> TgiContainer | None:
    """Start a container on the backend at a URL; None if that cannot be used, which the log then tells."""
    try:
        backend = asyncio.run(Backend.connect(url))
    except BackendError as error:
        log(f"Error: {VARIABLE}: {error.reason}")
        return None
    log(f"Embedded AWS: {backend.name} at {backend.url} writes the answers, with the model {backend.model}")
    return BackendContainer(settings, backend, log)
