"""One question to the endpoint: checked before it is sent, answered whole or as it comes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

from mistral7b.capacity.admission import never_admitted, why_never_admitted
from mistral7b.environment import Environment
from mistral7b.tgi import GenerateParameters, GenerateRequest, LauncherSettings, StreamEvent, TgiError
from mistral7b.tgi.response import Details, StreamDetails
from mistral7b.tgi.tokenizer import count_tokens
from mistral7b.tgi.validation import check_before_permit, validate
from mistral7b_cli.failure import CommandError
from mistral7b_cli.output import progress

if TYPE_CHECKING:
    from mistral7b.endpoint import EndpointClient

DEFAULT_ANSWER_TOKENS = 256
"""`max_new_tokens` where nobody says: TGI's own default, 20, ends in the middle of a sentence."""


@dataclass(frozen=True)
class Question:
    """A request that keeps to the limits of the container."""

    request: GenerateRequest
    prompt_tokens: int


@dataclass(frozen=True)
class Answer:
    """What came back. The reason and the count are None if the request said `details=false`."""

    text: str
    finish_reason: str | None
    generated_tokens: int | None
    seconds: float
    details: Details | StreamDetails | None


def prepare(inputs: str, given: Mapping[str, Any], env: Environment, settings: LauncherSettings) -> Question:
    """The request for a prompt, with the parameters `given`. Raises CommandError of status 2 for what is refused."""
    tokens = _count(inputs, given.get("truncate"))
    room = settings.max_total_tokens - tokens
    parameters = GenerateParameters(
        **{"details": True, "max_new_tokens": max(1, min(DEFAULT_ANSWER_TOKENS, room)), **given}
    )
    _check_length(tokens, parameters.max_new_tokens, env, settings)
    request = GenerateRequest(inputs=inputs, parameters=parameters)
    try:
        validate(request, settings)
    except TgiError as error:
        raise CommandError(error.message, 2) from None
    return Question(request, tokens)


def ask(client: "EndpointClient", question: Question, settings: LauncherSettings) -> Answer:
    """The whole answer."""
    _check_mode(question.request, settings)
    started = time.monotonic()
    generation = client.generate(question.request)
    return _answer(generation.generated_text, generation.details, time.monotonic() - started)


class Writer(Protocol):
    """Shows an answer as it comes."""

    def show(self, event: StreamEvent) -> None:
        """Called with every token."""

    def end(self) -> None:
        """Called after the last token, or when the stream broke off."""


def ask_streaming(client: "EndpointClient", question: Question, settings: LauncherSettings, writer: Writer) -> Answer:
    """The whole answer, after each of its tokens was shown as it came."""
    request = replace(question.request, stream=True)
    _check_mode(request, settings)
    started = time.monotonic()
    text, details = "", None
    try:
        for event in client.stream(request):
            writer.show(event)
            if event.generated_text is not None:
                text, details = event.generated_text, event.details
    finally:
        writer.end()
    return _answer(text, details, time.monotonic() - started)


def remark(question: Question, answer: Answer, *, more: str = "") -> None:
    """Tells someone at a terminal how long prompt and answer were, and whether the answer was cut."""
    if not progress.is_terminal or answer.generated_tokens is None:
        return
    counts = f"{question.prompt_tokens} prompt tokens, {answer.generated_tokens} generated in {answer.seconds:.1f} s"
    cut = f"; cut at max_new_tokens={question.request.parameters.max_new_tokens}"
    progress.print(
        counts + (cut if answer.finish_reason == "length" else "") + more, style="dim", markup=False, soft_wrap=True
    )


def _answer(text: str, details: Details | StreamDetails | None, seconds: float) -> Answer:
    if details is None:
        return Answer(text, None, None, seconds, None)
    return Answer(text, details.finish_reason, details.generated_tokens, seconds, details)


def _count(inputs: str, truncate: int | None) -> int:
    tokens = count_tokens(inputs)
    return min(tokens, truncate) if truncate else tokens


def _check_length(tokens: int, max_new_tokens: int, env: Environment, settings: LauncherSettings) -> None:
    if (excess := tokens - settings.max_input_length) > 0:
        raise CommandError(
            f"the prompt is too long: {tokens} tokens, {excess} more than the {settings.max_input_length} "
            f"that MAX_INPUT_LENGTH of {env.name} allows. It was not sent",
            2,
        )
    if tokens in (blocked := never_admitted(settings)):
        told = f"the prompt is too long: {tokens} tokens, {tokens - blocked[0] + 1} more than {env.name} can serve"
        raise CommandError(f"{told}. {why_never_admitted(settings)}. It was not sent", 2)
    if (excess := tokens + max_new_tokens - settings.max_total_tokens) > 0:
        raise CommandError(
            f"prompt and answer are too long together: {tokens} tokens and max_new_tokens={max_new_tokens}, {excess} "
            f"more than the {settings.max_total_tokens} that MAX_TOTAL_TOKENS of {env.name} allows. "
            f"It was not sent; max_new_tokens may be {settings.max_total_tokens - tokens}",
            2,
        )


def _check_mode(request: GenerateRequest, settings: LauncherSettings) -> None:
    try:
        check_before_permit(request, settings)
    except TgiError as error:
        raise CommandError(error.message, 2) from None
