"""TGI 1.1.0's `batching_task` and `next_batch` as plain loops, one decode step at a time: slow, and easy to check."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from mistral7b.capacity.admission import RouterLimits, answer_charge, in_blocks, running_charge
from mistral7b.capacity.parameters import SLIDING_WINDOW, PerformanceParameters, attention_pairs
from mistral7b.capacity.request import Request


@dataclass
class StepByStep:
    """Serves requests, sorted by arrival; `refused` are those that found no permit."""

    p: PerformanceParameters
    limits: RouterLimits
    coming: deque[Request]
    now: float = 0.0
    queue: deque[Request] = field(default_factory=deque)
    running: list[Request] = field(default_factory=list)
    generated: dict[Request, int] = field(default_factory=dict)
    in_flight: int = 0
    refused: list[Request] = field(default_factory=list)
    finished: list[Request] = field(default_factory=list)

    def serve(self) -> None:
        """Runs until nothing is left."""
        while self.queue or self.coming:
            if not self.queue:
                self.now = self.coming[0].arrival
                self._accept(self.coming.popleft())
            self._prefill(self._next_batch(None))
            waited = 1
            while self.running:
                needed = None
                if waited < self.limits.max_waiting_tokens:
                    ratio = np.float32(self.limits.waiting_served_ratio)
                    needed = int(np.floor(np.float32(len(self.running)) * ratio))
                batch = self._next_batch(needed)
                if batch:
                    self._prefill(batch)
                    waited = 1
                self._step()
                waited += 1

    def _accept(self, request: Request) -> None:
        if self.in_flight < self.limits.max_concurrent_requests:
            self.in_flight += 1
            self.queue.append(request)
        else:
            self.refused.append(request)

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        while self.coming and self.coming[0].arrival < self.now:
            self._accept(self.coming.popleft())

    def _next_batch(self, needed: int | None) -> list[Request]:
        held = sum(running_charge(r.input_tokens, r.max_new_tokens) for r in self.running)
        batch: list[Request] = []
        prefill = reserved = 0
        for request in self.queue:
            prefill += in_blocks(request.input_tokens)
            reserved += in_blocks(request.input_tokens) + answer_charge(request.input_tokens, request.max_new_tokens)
            if prefill > self.limits.max_batch_prefill_tokens or reserved > self.limits.max_batch_total_tokens - held:
                break
            batch.append(request)
        if needed is not None and len(batch) < needed:
            return []
        for request in batch:
            self.queue.popleft()
            request.admitted = self.now
        return batch

    def _prefill(self, batch: list[Request]) -> None:
        tokens = sum(request.input_tokens for request in batch)
        pairs = sum(attention_pairs(r.input_tokens) for r in batch)
        self._pass(self.p.prefill_seconds(tokens, pairs, samples=any(r.samples for r in batch)))
        for request in batch:
            request.first_token = self.now
            self.running.append(request)
            self.generated[request] = 1
        self._let_go()

    def _step(self) -> None:
        if not self.running:
            return
        contexts = [min(r.input_tokens + self.generated[r], SLIDING_WINDOW) for r in self.running]
        samples = any(request.samples for request in self.running)
        self._pass(self.p.decode_seconds(len(contexts), sum(contexts), max(contexts), samples=samples))
        for request in self.running:
            self.generated[request] += 1
        self._let_go()

    def _let_go(self) -> None:
        for request in [r for r in self.running if self.generated[r] == r.output_tokens]:
            request.finished = self.now
            self.running.remove(request)
            self.finished.append(request)
            self.in_flight -= 1
