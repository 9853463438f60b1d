"""Whether a request that has to be refused is, in TGI's words and as SageMaker wraps them.

SageMaker's `ModelError` has the container's status in `OriginalStatusCode` and its whole body in `OriginalMessage`
(botocore, `sagemaker-runtime/2017-05-13`). The words name the limit: so a refusal tells a setting.
"""

import re
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.endpoint import ContainerError, EndpointError, OverloadedError
from mistral7b.operate.smoke.verdict import Reply, Verdict, describe, shortened
from mistral7b.tgi import GenerateRequest, LauncherSettings, TgiError
from mistral7b.tgi.validation import check_before_permit, validate

_LIMIT = re.compile(r"(?<=<= )\d+|(?<=less than )\d+|(?<=up to )\d+")


def refusal(request: GenerateRequest, settings: LauncherSettings) -> TgiError | None:
    """How a container with these settings refuses the request; None if it does what it asks for."""
    try:
        check_before_permit(request, settings)
        validate(request, settings)
    except TgiError as error:
        return error
    return None


def form(error: TgiError) -> str:
    """A refusal as a caller of SageMaker sees it."""
    return f"ModelError {error.status} {error.to_json()}"


def judge_refusal(reply: Reply, due: TgiError) -> Verdict:
    """The verdict on the reply to a request that is due to be refused so, letter by letter."""
    if reply.error is None:
        return Verdict(False, f"an answer: {shortened(reply.body.decode(errors='replace'))!r}")
    if not _judged(reply):
        return Verdict(False, describe(reply.error))
    got = _form(reply.error)
    return Verdict(got == form(due), shortened(got))


def judge_limit(reply: Reply, due: TgiError, limit: int) -> Verdict:
    """The same for a refusal that names a limit; what was got is the limit, where the words are right."""
    verdict = judge_refusal(reply, due)
    if verdict.passed:
        return Verdict(True, str(limit))
    if reply.error is None or not _judged(reply):
        return verdict
    named = _LIMIT.search(reply.error.message)
    if named and _LIMIT.sub("", verdict.got, 1) == _LIMIT.sub("", form(due), 1):
        return Verdict(False, named[0])
    return Verdict(False, f"no refusal that names it: {verdict.got}")


def _judged(reply: Reply) -> bool:
    """Whether the container has looked at the request."""
    return isinstance(reply.error, ContainerError) and not isinstance(reply.error, OverloadedError)


def _form(error: EndpointError) -> str:
    cause = error.__cause__
    if not isinstance(cause, ClientError):
        return describe(error)
    response: dict[str, Any] = cause.response
    code = response["Error"].get("Code")
    return f"{code} {response.get('OriginalStatusCode')} {response.get('OriginalMessage')}"
