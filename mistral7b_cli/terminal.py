"""Text from elsewhere as a terminal may have it: nothing that it would obey, and no secret."""

import os
import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.status import Status
from rich.text import Text

# Control characters but new line and tab, what changes the direction of writing, and what is no character.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_HEADERS = r"x-amz-(?:signature|security-token|credential)|(?:proxy-)?authorization|(?:set-)?cookie|private-token"
_FIELDS = (
    r"signature|(?:aws_)?(?:(?:access_?|session_?|security_?|auth_?)?token|secret_?access_?key)|password|client_?secret"
)
_SECRETS = (
    re.compile(r"(://)[^\s/?#'\"]+(?=@)"),  # user and password of a URL
    re.compile(rf"(\b(?:{_HEADERS})\b[\"']?\s*[:=]\s*[\"']?(?:(?:AWS4-HMAC-SHA256|Bearer|Basic)\s+)?)[^\s&\"']+", re.I),
    re.compile(rf"(\b(?:{_FIELDS})(?:=|[\"']\s*:\s*)[\"']?)[^\s&\"',;]+", re.I),
    # Tokens of GitHub, GitLab and Bitbucket, and of OpenID Connect.
    re.compile(r"()\b(?:gh[pousr]_|github_pat_|glpat-|ATBB)[\w-]{16,}|()\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]+"),
)
_SECRET_VARIABLE = re.compile(r"SECRET|TOKEN|PASSWORD", re.I)
_SHORTEST_SECRET = 8
"""Shorter values of variables, such as that of `AWS_SECRET_ACCESS_KEY=testing`, occur as words."""


def redacted(value: Any) -> Any:
    """A text, or every text in lists and mappings, with `***` in place of credentials, tokens and signatures."""
    if isinstance(value, dict):
        return {key: redacted(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(inner) for inner in value]
    if not isinstance(value, str):
        return value
    for name, secret in os.environ.items():
        if len(secret) >= _SHORTEST_SECRET and _SECRET_VARIABLE.search(name):
            value = value.replace(secret, "***")
    for pattern in _SECRETS:
        value = pattern.sub(r"\1***", value)
    return value


def plain(text: str) -> str:
    """The text without control sequences and secrets."""
    return str(redacted(UNSAFE.sub("", text)))


class SafeConsole(Console):
    """Prints only `plain` text, whatever it is given, and takes no text for markup."""

    def render_str(self, text: str, *arguments: Any, **options: Any) -> Text:
        """A whole text: a secret may be longer than a line."""
        return super().render_str(plain(text), *arguments, **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of anything that is printed."""
        for one in super().render(renderable, options):
            yield one if one.control else one._replace(text=plain(one.text))

    def status(self, status: RenderableType, **options: Any) -> Status:
        """A spinner with a text."""
        return super().status(Text(status) if isinstance(status, str) else status, **options)
