"""What a check has found."""

from dataclasses import dataclass

from mistral7b.endpoint.errors import BrokenAnswerError, ContainerError, EndpointError, OverloadedError, TimedOutError

_SHOWN = 300
"""Characters that are shown of a text from outside."""
_CAUSES: dict[type[EndpointError], str] = {
    OverloadedError: "overloaded (429)",
    TimedOutError: "no whole answer in time",
    BrokenAnswerError: "an incomplete answer",
}


@dataclass(frozen=True)
class Reply:
    """What came back on a request: the whole body of the answer, or why there is none."""

    body: bytes = b""
    error: EndpointError | None = None


@dataclass(frozen=True)
class Verdict:
    """Whether what came back is what had to, and what it was."""

    passed: bool
    got: str


@dataclass(frozen=True)
class CheckResult:
    """One check after it was made. `overloaded`: it was refused with 429, which says nothing of what it asked."""

    name: str
    passed: bool
    seconds: float
    expected: str
    got: str
    overloaded: bool = False


def describe(error: EndpointError) -> str:
    """An error in one line, named by its cause."""
    if isinstance(error, ContainerError) and not isinstance(error, OverloadedError):
        cause = f"{error.status} {error.error_type or 'without error_type'}"
    else:
        cause = next((words for kind, words in _CAUSES.items() if isinstance(error, kind)), "")
    return f"{cause or error.error_type or type(error).__name__}: {shortened(error.message)}"


def shortened(text: str) -> str:
    """The text on one line, without what a terminal would take as a command."""
    line = "".join(c if c.isprintable() else repr(c)[1:-1] for c in " ".join(text.split()))
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…"
