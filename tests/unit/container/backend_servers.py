"""Small servers that speak as llama.cpp, vLLM, Ollama and TGI do, and can fail as these do."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MODELS: dict[str, tuple[str, Any]] = {
    "llama.cpp": ("/v1/models", {"object": "list", "data": [{"id": "smol.gguf", "owned_by": "llamacpp"}]}),
    "vLLM": ("/v1/models", {"object": "list", "data": [{"id": "mistralai/Mistral-7B", "owned_by": "vllm"}]}),
    "TGI": ("/info", {"model_id": "/opt/ml/model", "version": "1.1.0", "max_total_tokens": 8192}),
    "Ollama": ("/api/tags", {"models": [{"name": "mistral:latest", "size": 1}]}),
}
"""What tells each of them apart, by the path that it answers."""

PATHS = {
    "llama.cpp": "/v1/completions",
    "vLLM": "/v1/completions",
    "TGI": "/generate_stream",
    "Ollama": "/api/generate",
}


def stream_of(name: str, texts: list[str], finish: str, count: int) -> bytes:
    """A whole stream: these texts, and how it ended ("stop" for the end of sequence, or "length")."""
    if name == "Ollama":
        lines = [{"model": "m", "response": text, "done": False} for text in texts]
        return lines_of([*lines, {"response": "", "done": True, "done_reason": finish, "eval_count": count}])
    if name == "TGI":
        tokens = [{"id": 5 + n, "text": text, "logprob": -0.5, "special": False} for n, text in enumerate(texts)]
        if finish == "stop":
            tokens.append({"id": 2, "text": "</s>", "logprob": -0.1, "special": True})
        reason = {"stop": "eos_token"}.get(finish, finish)
        events = [{"token": token, "generated_text": None, "details": None} for token in tokens]
        details = {"finish_reason": reason, "generated_tokens": count, "seed": None}
        return events_of([*events[:-1], events[-1] | {"generated_text": "".join(texts), "details": details}])
    chunks = [{"choices": [{"index": 0, "text": text, "finish_reason": None}]} for text in texts]
    if name == "vLLM" and finish == "length":
        chunks[-1]["choices"][0]["finish_reason"] = finish
    else:
        chunks.append({"choices": [{"index": 0, "text": "", "finish_reason": finish}]})
    return events_of([*chunks, {"choices": [], "usage": {"completion_tokens": count}}]) + b"data: [DONE]\n\n"


def events_of(values: list[Any]) -> bytes:
    return b"".join(b"data: " + json.dumps(value, ensure_ascii=False).encode() + b"\n\n" for value in values)


def lines_of(values: list[Any]) -> bytes:
    return b"".join(json.dumps(value, ensure_ascii=False).encode() + b"\n" for value in values)


class Fake(ThreadingHTTPServer):
    """A backend. It answers with `status` and `parts`, then `endless` until its client goes; or it is `silent`."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.listings: dict[str, Any] = {}
        self.status, self.parts, self.cut = 200, list[bytes](), False
        self.endless: bytes | None = None
        self.silent = False
        self.received: list[dict[str, Any]] = []
        self.left = threading.Event()
        """Set when a client has gone in the middle of an answer."""
        self.ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Fake

    def do_GET(self) -> None:
        found = self.server.listings.get(self.path)
        body = b"not found" if found is None else found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(404 if found is None else 200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append(body | {"path": self.path})
        if self.server.silent:
            self.server.ended.wait()
            self.close_connection = True
            return
        self.send_response(self.server.status)
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for part in self.server.parts:
            self._chunk(part)
        try:
            while self.server.endless is not None:
                self._chunk(self.server.endless)
        except OSError:
            self.server.left.set()
            self.close_connection = True
            return
        if self.server.cut:
            self.close_connection = True
        else:
            self.wfile.write(b"0\r\n\r\n")

    def _chunk(self, part: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))

    def log_message(self, *_: object) -> None:
        """Nothing: it is expected to be called."""


@contextmanager
def served(name: str | None = None) -> Iterator[Fake]:
    """A running backend, which lists its model as the named one does."""
    fake = Fake()
    if name is not None:
        path, listing = MODELS[name]
        fake.listings[path] = listing
    thread = threading.Thread(target=fake.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        fake.endless = None
        fake.ended.set()
        fake.shutdown()
        thread.join()
        fake.server_close()
