"""What is measured: loads, each with its prompt, and what the performance model says of them."""

from contextlib import suppress
from dataclasses import dataclass
from itertools import cycle, islice

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.calibration import Calibration
from mistral7b.capacity.closed_loop import Load, simulate
from mistral7b.errors import UserError
from mistral7b.tgi import GenerateParameters, GenerateRequest
from mistral7b.tgi.tokenizer import count_tokens, decode, encode

PLAN_VARIABLE = "MISTRAL7B_BENCH_PLAN"
"""Names the plan's file to the processes that Locust starts."""
RECORDS = "requests.jsonl"
"""Beside it: every request, and twice a second how late each process was."""
WARM_UP = 2
"""Answers of each user that do not count: by then all users are there. With a rate, half as many seconds as count."""
_SENTENCE = "I believe the meaning of life is to"  # what AWS's benchmarking notebooks for JumpStart repeat
TOKEN_S = 0.03  # roughly, for one user


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One load: `users` who each send the next request when the last one is answered, or `rate` requests a second."""

    prompt: int
    unit: str
    """`words` or `tokens`."""
    answer_tokens: int
    stream: bool = False
    users: int = 0
    rate: float = 0.0
    counted: int
    """Answers of each user; with a rate, seconds in which requests are due. After the warm-up."""

    @property
    def name(self) -> str:
        """The load in words: the same in two runs that can be compared."""
        load = f"{self.users} user{'s' * (self.users > 1)}" if self.users else f"{self.rate:g} requests/s"
        return f"{self.prompt} {self.unit}, {self.answer_tokens} tokens out, {load}{', streamed' * self.stream}"

    def request(self) -> GenerateRequest:
        """Greedy, with the details that say how long the answer is."""
        parameters = GenerateParameters(max_new_tokens=self.answer_tokens, details=True)
        return GenerateRequest(inputs=prompt(self.prompt, self.unit), parameters=parameters, stream=self.stream)


def prompt(length: int, unit: str) -> str:
    """A text of exactly so many words, or tokens of the container's tokenizer. Raises UserError if there is none."""
    text = " ".join(islice(cycle(_SENTENCE.split()), length))
    if unit == "tokens":
        text = decode(encode(text)[:length], skip_special=True)
        if count_tokens(text) != length or not text:
            raise UserError(f"--tokens {length}: there is no such prompt\nfix: the shortest has 2 tokens")
    return text


def duration(cell: Cell, calibration: Calibration, limits: RouterLimits | None, instances: int) -> float:
    """About how many seconds the load is measured; where the model says nothing, as if users were alone."""
    if not cell.users:
        return cell.counted * (1 + 1 / WARM_UP)
    latency = TOKEN_S * cell.answer_tokens
    if limits is not None:
        load = Load(-(-cell.users // instances), count_tokens(cell.request().inputs), cell.answer_tokens)
        with suppress(ValueError):  # more users than MAX_CONCURRENT_REQUESTS, or a prompt that is never admitted
            latency = simulate(load, calibration.parameters, limits).latency
    return (WARM_UP + cell.counted + 1) * latency
