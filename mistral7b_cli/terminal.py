"""Text from elsewhere as a terminal may have it: nothing that it would obey, and no secret."""

import os
import re
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

# Control characters but new line and tab, what changes the direction of writing, and what is no character.
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_HEADER = r"x-amz-(?:signature|security-token|credential)|(?:proxy-)?authorization|(?:set-)?cookie|private-token"
_FIELD = r"(?:aws_)?(?:secret_?access_?key|(?:(?:access|session|security)_?)?token)|signature|password|client_?secret"
_SECRET = re.compile(
    r"(://)(?:[^\s/:'\"]*:[^\s'\"]+|[^\s/?#'\"]+)(?=@)|"  # user and password of a URL
    rf"(\b(?:{_HEADER})\b[\"']?\s*[:=]\s*[\"']?(?:(?:AWS4-HMAC-SHA256|Bearer|Basic)\s+)?)[^\s&\"']+|"
    rf"(\b(?:{_FIELD})(?:=|[\"']\s*:\s*)[\"']?)[^\s&\"',;]+|"
    # Tokens of GitHub, GitLab, Bitbucket and OpenID Connect.
    r"\b(?:(?:gh[pousr]_|github_pat_|glpat-|ATBB)[\w-]{16,}|eyJ[\w-]+\.eyJ[\w-]+\.[\w-]+)",
    re.IGNORECASE,
)
_SECRET_VARIABLE = re.compile("SECRET|TOKEN|PASSWORD", re.IGNORECASE)
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
    return _SECRET.sub(lambda found: "".join(filter(None, found.groups())) + "***", value)


def plain(text: str) -> str:
    """The text without control sequences and secrets."""
    return str(redacted(UNSAFE.sub("", text)))


class SafeConsole(Console):
    """Prints only `plain` text, whatever it is given."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of anything that is printed."""
        for one in super().render(renderable, options):
            yield one if one.control else one._replace(text=plain(one.text))
