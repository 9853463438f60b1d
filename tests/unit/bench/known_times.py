"""An endpoint whose answers take as long as they are told to, for benchmarks of the load generator."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sagehost.hosting.eventstream import payload_part


@dataclass
class KnownTimes:
    """Each answer takes `seconds`, has `tokens`, and every `refuse`th is refused as TGI refuses what is too much."""

    seconds: float = 0.02
    tokens: int = 8
    refuse: int = 0
    last: int = 0
    """Every request after so many is refused, too; 0: none."""
    url: str = ""
    bodies: list[dict[str, object]] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    """How long each answer really took here: a machine that is busy wakes nobody in time."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
                body = await reader.readexactly(int(fields.get(b"content-length", 0)))
                if b"/invocations" not in head:
                    await _answer(writer, 404, b"{}")
                    continue
                self.bodies.append(json.loads(body))
                await self._invoke(writer, stream=b"-response-stream" in head)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _invoke(self, writer: asyncio.StreamWriter, *, stream: bool) -> None:
        if (self.refuse and len(self.bodies) % self.refuse == 0) or 0 < self.last < len(self.bodies):
            original = json.dumps({"error": "Model is overloaded", "error_type": "overloaded"})
            error = {"OriginalStatusCode": 429, "OriginalMessage": original, "Message": "Received client error (429)"}
            await _answer(writer, 424, json.dumps(error).encode(), b"x-amzn-errortype: ModelError\r\n")
            return
        details = {"finish_reason": "length", "generated_tokens": self.tokens}
        if not stream:
            began = asyncio.get_running_loop().time()
            await asyncio.sleep(self.seconds)
            self.took.append(asyncio.get_running_loop().time() - began)
            answer = [{"generated_text": "word", "details": details | {"prefill": [], "tokens": []}}]
            await _answer(writer, 200, json.dumps(answer).encode())
            return
        kind = b"Content-Type: application/vnd.amazon.eventstream\r\nTransfer-Encoding: chunked\r\n\r\n"
        writer.write(b"HTTP/1.1 200 OK\r\n" + kind)
        for number in range(self.tokens):
            await asyncio.sleep(self.seconds / self.tokens)
            last = number == self.tokens - 1
            event: dict[str, object] = {"token": {"id": 1, "text": "w", "logprob": 0.0, "special": False}}
            event |= {"generated_text": "w" * self.tokens if last else None, "details": details if last else None}
            part = payload_part(b"data:" + json.dumps(event).encode() + b"\n\n")
            writer.write(b"%x\r\n%s\r\n" % (len(part), part))
            await writer.drain()
        writer.write(b"0\r\n\r\n")


async def _answer(writer: asyncio.StreamWriter, status: int, body: bytes, more: bytes = b"") -> None:
    writer.write(b"HTTP/1.1 %d Status\r\nContent-Type: application/json\r\n%s" % (status, more))
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    await writer.drain()


@contextmanager
def serving(server: KnownTimes) -> Iterator[KnownTimes]:
    """The server on a port of this machine, in a thread, for the length of the block."""
    loop = asyncio.new_event_loop()
    listening = loop.run_until_complete(asyncio.start_server(server._serve, "127.0.0.1", 0, backlog=1024))
    server.url = f"http://localhost:{listening.sockets[0].getsockname()[1]}"
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield server
    loop.call_soon_threadsafe(listening.close)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
