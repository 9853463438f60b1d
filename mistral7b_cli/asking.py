"""One question to the endpoint: checked before it is sent, answered whole or as it comes."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mistral7b.capacity.admission import never_admitted, why_never_admitted
from mistral7b.endpoint.client import EndpointClient
from mistral7b.environment import Environment
from mistral7b.errors import UserError
from mistral7b.tgi import GenerateParameters, GenerateRequest, Generation, LauncherSettings, StreamEvent, TgiError
from mistral7b.tgi.response import Details, StreamDetails
from mistral7b.tgi.tokenizer import count_tokens
from mistral7b.tgi.validation import check_before_permit, validate
from mistral7b_cli.aws import at_speed
from mistral7b_cli.output import progress, say, write, write_json
from mistral7b_cli.waiting import Waiting

DEFAULT_ANSWER_TOKENS = 256
"""`max_new_tokens` where nobody says: TGI's own default, 20, ends in the middle of a sentence."""


@dataclass(frozen=True)
class Question:
    """A request that keeps to the limits of the container."""

    request: GenerateRequest
    prompt_tokens: int


@dataclass(frozen=True)
class Answer:
    """What came back, after so many seconds of the endpoint's clock."""

    text: str
    details: Details | StreamDetails | None
    """None if the request said `details=false`."""
    seconds: float
    speed: float


def prepare(inputs: str, given: Mapping[str, Any], env: Environment, *, stream: bool = False) -> Question:
    """The request for a prompt, with the parameters `given`. Raises UserError of status 2 for what is refused."""
    settings, truncate, tokens = env.launcher_settings(), given.get("truncate"), count_tokens(inputs)
    tokens = min(tokens, truncate) if truncate else tokens
    room = settings.max_total_tokens - tokens
    parameters = GenerateParameters(
        **{"details": True, "max_new_tokens": max(1, min(DEFAULT_ANSWER_TOKENS, room)), **given}
    )
    if told := _too_long(tokens, parameters.max_new_tokens, env.name, settings):
        raise UserError(told)
    request = GenerateRequest(inputs=inputs, parameters=parameters, stream=stream)
    try:
        validate(request, settings)
        check_before_permit(request, settings)
    except TgiError as error:
        raise UserError(error.message) from None
    return Question(request, tokens)


def ask(client: EndpointClient, question: Question, show: Callable[[StreamEvent], None] | None = None) -> Answer:
    """The whole answer; of a stream after `show` had each of its tokens as it came."""
    whole: Generation | StreamEvent
    started = time.monotonic()
    if show is None:
        whole = client.generate(question.request)
    else:
        for whole in client.stream(question.request):
            show(whole)
    return Answer(whole.generated_text or "", whole.details, (time.monotonic() - started) * client.speed, client.speed)


def record(question: Question, answer: Answer) -> dict[str, Any]:
    """An answer with its counts, for scripts."""
    return {
        "prompt_tokens": question.prompt_tokens,
        "generated_text": answer.text,
        "finish_reason": answer.details and answer.details.finish_reason,
        "generated_tokens": answer.details and answer.details.generated_tokens,
        "seconds": round(answer.seconds, 3),
        "speed": answer.speed,
    }


def remark(question: Question, answer: Answer, *, more: str = "") -> None:
    """Tells someone at a terminal how long prompt and answer were, and whether the answer was cut."""
    if not progress.is_terminal or answer.details is None:
        return
    took = f"{answer.seconds:.2f} s{at_speed(answer.speed)}"
    counts = f"{question.prompt_tokens} prompt tokens, {answer.details.generated_tokens} generated in {took}"
    cut = f"; cut at max_new_tokens={question.request.parameters.max_new_tokens}"
    say(counts + (cut if answer.details.finish_reason == "length" else "") + more, "dim", on=progress)


def _too_long(tokens: int, max_new_tokens: int, environment: str, settings: LauncherSettings) -> str:
    """What is too long, and by how much; empty if the container takes it."""
    if (excess := tokens - settings.max_input_length) > 0:
        return (
            f"the prompt is too long: {tokens} tokens, {excess} more than the {settings.max_input_length} "
            f"that MAX_INPUT_LENGTH of {environment} allows; it was not sent\nfix: shorten it"
        )
    if tokens in (blocked := never_admitted(settings)):
        told = f"the prompt is too long: {tokens} tokens, {tokens - blocked[0] + 1} more than {environment} can serve"
        return f"{told}; it was not sent. {why_never_admitted(settings)}\nfix: shorten it"
    if (excess := tokens + max_new_tokens - settings.max_total_tokens) > 0:
        return (
            f"prompt and answer are too long together: {tokens} tokens and max_new_tokens={max_new_tokens}, {excess} "
            f"more than the {settings.max_total_tokens} that MAX_TOTAL_TOKENS of {environment} allows; "
            f"it was not sent\nfix: max_new_tokens may be {settings.max_total_tokens - tokens}"
        )
    return ""


@contextmanager
def text_shown(waiting: Waiting) -> Iterator[Callable[[StreamEvent], None]]:
    """Takes a stream's events, and writes the text of their tokens from its first letter on; ends the last line."""
    written = ""

    def show(event: StreamEvent) -> None:
        nonlocal written
        text = "" if event.token.special else event.token.text
        text = text if written else text.lstrip()
        if text:
            waiting.done()
            write(text)
            written = text

    try:
        yield show
    finally:
        if written and not written.endswith("\n"):
            write("\n")


def show_as_json(waiting: Waiting, event: StreamEvent) -> None:
    """Writes an event as a line of JSON."""
    waiting.done()
    write_json(event.model_dump(mode="json", include={"token", "top_tokens"}, exclude_defaults=True), indent=None)
