"""The running batch of one instance, counted rather than stepped through."""

from heapq import heappop, heappush

from mistral7b.capacity.parameters import SLIDING_WINDOW
from mistral7b.capacity.request import Request


class RunningBatch:
    """Sums over the running requests, kept up to date at the decode steps where the batch changes.

    Steps are counted over the instance's life. Heaps tell which step ends the next request, which step fills the next
    window, and whose context is longest; an entry whose request has left early is skipped when it comes up.

    Attributes:
        running: requests.
        sampling: those of them that sample.
        held: tokens of their blocks.
        kv: tokens that the next step attends to, all contexts together.
        growing: requests whose context still grows by one a step.
        steps: decode steps so far.
    """

    def __init__(self) -> None:
        self.running = self.sampling = self.held = self.kv = self.growing = self.steps = 0
        self._sequence = 0
        self._finishing: list[tuple[int, int, Request]] = []
        self._saturating: list[tuple[int, int, Request]] = []
        self._longest: list[tuple[int, int, Request]] = []

    def join(self, request: Request) -> None:
        """Adds a request whose prefill has ended: it attends to its prompt, the first token, and one more each step."""
        context = request.input_tokens + 1
        request.first_step = self.steps
        self.running += 1
        self.sampling += request.samples
        self.held += request.held_tokens
        self.ends_at(request, self.steps + request.output_tokens - 1)
        heappush(self._longest, (self.steps - context, self._sequence, request))
        self.kv += min(context, SLIDING_WINDOW)
        if context < SLIDING_WINDOW:
            self.growing += 1
            filled = self.steps + SLIDING_WINDOW - context
            if filled <= request.finish_step:
                heappush(self._saturating, (filled, self._sequence, request))

    def ends_at(self, request: Request, step: int) -> None:
        """Lets a running request leave after that step."""
        request.finish_step = step
        self._sequence += 1  # of equal steps, the heap compares this
        heappush(self._finishing, (step, self._sequence, request))

    def steps_unchanged(self) -> int:
        """Steps up to the next after which a request leaves or a window is full. There has to be a request."""
        while self._finishing[0][0] != self._finishing[0][2].finish_step:
            heappop(self._finishing)
        until = self._finishing[0][0]
        if self._saturating and self._saturating[0][0] < until:
            until = self._saturating[0][0]
        return until - self.steps

    def longest(self) -> int:
        """The longest context of the next step. There has to be a request."""
        while self._longest[0][2].finish_step <= self.steps:
            heappop(self._longest)
        return min(self.steps - self._longest[0][0], SLIDING_WINDOW)

    def step(self, steps: int) -> list[Request]:
        """Takes steps, `steps_unchanged` at most; returns the requests that leave after the last."""
        self.steps = now = self.steps + steps
        self.kv += steps * self.growing
        while self._saturating and self._saturating[0][0] <= now:
            if heappop(self._saturating)[2].finish_step >= now:
                self.growing -= 1
        leaving = []
        while self._finishing and self._finishing[0][0] <= now:
            step, _, request = heappop(self._finishing)
            if step == request.finish_step:
                self._leave(request)
                leaving.append(request)
        if not self.running:
            self._finishing.clear()
            self._saturating.clear()
            self._longest.clear()
        return leaving

    def _leave(self, request: Request) -> None:
        context = request.input_tokens + 1 + self.steps - request.first_step
        self.kv -= min(context, SLIDING_WINDOW)
        self.growing -= context < SLIDING_WINDOW
        self.held -= request.held_tokens
        self.running -= 1
        self.sampling -= request.samples
