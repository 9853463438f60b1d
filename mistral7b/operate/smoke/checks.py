"""The requests to an endpoint, and the replies that its environment file requires.

Requests that have to be refused could not run even where the endpoint's limits are other than the file's: each breaks a
later rule, too. The one exception, a real prompt that is too long, is sent only once the limits are known. (With
JumpStart's settings a prompt just within its limit may block the container's queue: see docs/performance-model.md.)

SageMaker wraps a refusal: `ModelError` has the container's status in `OriginalStatusCode` and its whole body in
`OriginalMessage` (botocore, `sagemaker-runtime/2017-05-13`).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from botocore.exceptions import ClientError

from mistral7b.capacity.admission import why_never_admitted
from mistral7b.catalog.models import SUPPORTED_TGI_VERSION, ModelName
from mistral7b.endpoint.client import to_json
from mistral7b.endpoint.errors import EndpointError
from mistral7b.environment import Environment
from mistral7b.operate.smoke.answers import Asked, Verdict, describe, is_refusal, judge_answer, judge_stream, shortened
from mistral7b.prompts import instruction
from mistral7b.tgi import GenerateParameters, GenerateRequest, LauncherSettings, TgiError
from mistral7b.tgi.clap import U32_MAX
from mistral7b.tgi.request import MAX_BODY_BYTES
from mistral7b.tgi.tokenizer import encode
from mistral7b.tgi.validation import check_before_permit, validate

ANSWER_TOKENS = 16
"""`max_new_tokens` of the answers: about half a second on one A10G."""

Reply = bytes | EndpointError
"""The reply to a request: the whole body of the answer, or the error."""
_PROMPTS: dict[ModelName, str] = {
    "instruct": instruction("Write the numbers from one to ten as English words."),
    "base": "one, two, three, four, five,",
}
_SHORTEST = "Hi"  # two tokens, `<s>` included: no prompt has fewer

_LIMIT = re.compile(r"(?<=<= )\d+|(?<=less than )\d+|(?<=up to )\d+")
"""The limit in the words of a refusal: so a refusal tells a setting."""

_TOO_LONG = "prompt too long"
_BEST_OF_PROBED = 1_000
"""From this limit on one more is not asked for: the router makes a request of each before it looks at them."""
_FAR_OVER = 1_000


class NoPromptFitsError(ValueError):
    """The limits leave room for no prompt at all."""


@dataclass(frozen=True)
class Check:
    """One request, and the judge of its reply. It is sent only if the checks named in `after` have passed."""

    name: str
    expected: str
    request: GenerateRequest
    judge: Callable[[Reply], Verdict]
    after: tuple[str, ...] = ()


@dataclass(frozen=True)
class SmokePlan:
    """The checks of one environment, and the settings that they do not check, each with the reason."""

    checks: tuple[Check, ...]
    not_told: dict[str, str]


def smoke_plan(env: Environment) -> SmokePlan:
    """The checks of the environment's endpoint. Raises NoPromptFitsError."""
    settings = env.launcher_settings()
    inputs, prompt = _prompt(env.model, settings)
    exact = env.version.tgi_version == SUPPORTED_TGI_VERSION
    asked = Asked(prompt, min(ANSWER_TOKENS, settings.max_total_tokens - len(prompt)), exact)
    checks = [*_answers(inputs, asked), *_refusals(inputs, settings)]
    names = {check.name for check in checks}
    return SmokePlan(tuple(check for check in checks if names.issuperset(check.after)), _unchecked(env, names))


def _prompt(model: ModelName, settings: LauncherSettings) -> tuple[str, tuple[int, ...]]:
    for inputs in (_PROMPTS[model], _SHORTEST):
        ids = encode(inputs)
        if len(ids) <= settings.max_input_length:
            return inputs, tuple(ids)
    raise NoPromptFitsError(
        f"MAX_INPUT_LENGTH {settings.max_input_length} leaves room for no prompt: the shortest is {len(ids)} tokens"
    )


def _answers(inputs: str, asked: Asked) -> list[Check]:
    # return_full_text: a model that is loaded from the Hub repeats the prompt unless told not to.
    parameters = GenerateParameters(max_new_tokens=asked.max_new_tokens, details=True, return_full_text=False)
    whole = GenerateParameters(**{**vars(parameters), "decoder_input_details": True})
    expected = f"1 to {asked.max_new_tokens} tokens, and generated_text is their text"
    return [
        Check(
            "answer",
            f"{len(asked.prompt)} prompt tokens; {expected}",
            GenerateRequest(inputs=inputs, parameters=whole),
            partial(_judge_body, judge_answer, asked),
        ),
        Check(
            "stream",
            f"{expected}; generated_text and details only in the last event",
            GenerateRequest(inputs=inputs, parameters=parameters, stream=True),
            partial(_judge_body, judge_stream, asked),
        ),
    ]


def _judge_body(judge: Callable[[bytes, Asked], Verdict], asked: Asked, reply: Reply) -> Verdict:
    return judge(reply, asked) if isinstance(reply, bytes) else Verdict(False, describe(reply))


def _refusals(inputs: str, settings: LauncherSettings) -> Iterator[Check]:
    """Requests that have to be refused; those that cannot be sent, or would not be refused, are left out.

    They are far over each limit, so that the refusal names it whatever it is; but for `best_of`, see there, and for the
    last one, a prompt of one token too many.
    """
    stops = min(settings.max_stop_sequences + _FAR_OVER, MAX_BODY_BYTES)
    best_of = max(2, settings.max_best_of + 1)
    words = min(settings.max_input_length, MAX_BODY_BYTES)  # a token each, and `<s>`
    requests = {
        "empty inputs": ("", GenerateParameters(max_new_tokens=1)),
        "temperature 0": (inputs, GenerateParameters(max_new_tokens=1, temperature=0.0)),
        "MAX_INPUT_LENGTH": (inputs, GenerateParameters(truncate=U32_MAX, max_new_tokens=U32_MAX)),
        "MAX_TOTAL_TOKENS": (inputs, GenerateParameters(max_new_tokens=U32_MAX)),
        "MAX_STOP_SEQUENCES": ("", GenerateParameters(stop=["a"] * stops)),
        "MAX_TOP_N_TOKENS": ("", GenerateParameters(top_n_tokens=U32_MAX)),
        "MAX_BEST_OF": ("", GenerateParameters(best_of=best_of)),
        _TOO_LONG: (" ".join("a" * words), GenerateParameters(max_new_tokens=1)),
    }
    if best_of > _BEST_OF_PROBED:
        del requests["MAX_BEST_OF"]
    for name, (text, parameters) in requests.items():
        request = GenerateRequest(inputs=text, parameters=parameters)
        due = refusal(request, settings) if len(to_json(request)) <= MAX_BODY_BYTES else None
        limit = getattr(settings, name.lower(), None)
        if due is not None and limit is not None:
            yield Check(name, str(limit), request, partial(_judge_limit, due=due, limit=limit))
        elif due is not None:
            after = ("MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS") if name == _TOO_LONG else ()
            yield Check(name, _refusal_text(due), request, partial(_judge_refusal, due=due), after)


_UNDER_LOAD = "shows only under overload, which a check must not cause"
_UNSEEN = "no answer shows it"
_OVER = "a request over it cannot be sent, or must not be"
_LIMITS = ("MAX_INPUT_LENGTH", "MAX_TOTAL_TOKENS", "MAX_STOP_SEQUENCES", "MAX_BEST_OF", "MAX_TOP_N_TOKENS")
_REASONS = {"MAX_CONCURRENT_REQUESTS": _UNDER_LOAD, **dict.fromkeys(_LIMITS, _OVER)}


def _unchecked(env: Environment, told: set[str]) -> dict[str, str]:
    """Variables that are deployed and not checked, and those of checks that are left out, each with the reason."""
    deployed = env.container_environment()
    never = why_never_admitted(env.launcher_settings())
    reasons = _REASONS | ({"MAX_BATCH_PREFILL_TOKENS": never} if never else {})
    variables = [str(field.alias) for field in LauncherSettings.model_fields.values()]
    return {
        variable: reasons.get(variable, _UNSEEN)
        for variable in variables
        if variable not in told and (variable in reasons or variable in deployed)
    }


def refusal(request: GenerateRequest, settings: LauncherSettings) -> TgiError | None:
    """The error with which a container with these settings refuses the request; None if it accepts it."""
    try:
        check_before_permit(request, settings)
        validate(request, settings)
    except TgiError as error:
        return error
    return None


def _refusal_text(error: TgiError) -> str:
    """A refusal as a caller of SageMaker sees it."""
    return f"ModelError {error.status} {error.to_json()}"


def _judge_refusal(reply: Reply, due: TgiError) -> Verdict:
    """Passes if the reply is exactly the refusal `due`."""
    if isinstance(reply, bytes):
        return Verdict(False, f"an answer: {shortened(reply.decode(errors='replace'))!r}")
    if not is_refusal(reply):
        return Verdict(False, describe(reply))
    got = _error_text(reply)
    return Verdict(got == _refusal_text(due), shortened(got))


def _judge_limit(reply: Reply, due: TgiError, limit: int) -> Verdict:
    """The same for a refusal that names a limit: of two equal messages only the limits are shown."""
    verdict = _judge_refusal(reply, due)
    if verdict.passed:
        return Verdict(True, str(limit))
    if isinstance(reply, bytes) or not is_refusal(reply):
        return verdict
    named = _LIMIT.search(reply.message)
    if named and _LIMIT.sub("", verdict.got, 1) == _LIMIT.sub("", _refusal_text(due), 1):
        return Verdict(False, named[0])
    return Verdict(False, f"no refusal that names it: {verdict.got}")


def _error_text(error: EndpointError) -> str:
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return describe(error)
    response = cause.response
    return f"{response['Error'].get('Code')} {response.get('OriginalStatusCode')} {response.get('OriginalMessage')}"
