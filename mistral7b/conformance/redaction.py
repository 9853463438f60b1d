"""Redacts recordings. Equal values get equal placeholders, different values different ones."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, unquote

OWN_ACCOUNT = "000000000001"
"""Stands for the account of a recording. Others are 000000000002 and so on."""
_HIDDEN = re.compile(
    "secret|password|signature|authorization|credential|(?:token|(?:session|user)_?name|(?:user|request|access_?key)_?id)$",
    re.IGNORECASE,
)
_NAME = r"(?<=:{}/)[^\s\"'\\,;)]+"
_PATTERNS = (
    r"(?P<request>(?i:(?<=request id: )|(?<=requestid: ))[\w-]{8,})",
    rf"(?P<caller>{'|'.join(map(_NAME.format, ('user', 'assumed-role', 'federated-user')))})",
    r"(?P<email>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)",
    r"(?P<key>A(?:[KS]IA|IDA|ROA|GPA|NPA|BIA|CCA)[0-9A-Z]{16}(?::[\w+=,.@-]+)?)",
    r"(?P<token>[A-Za-z0-9+/=]{100,})",
    r"(?P<account>(?<!\d)\d{12}(?!\d|\.dkr\.ecr\.))",  # the registries of AWS's own images are public
    r"(?P<ip>(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)|"
    r"(?<![\w:])(?=[\w:]*::|(?:\w+:){7})[0-9a-fA-F:]{3,39}(?![\w:]))",
)


class Redactor:
    """Replaces accounts, keys, tokens, names and ids of users, request ids, e-mail and public IP addresses."""

    def __init__(self, account: str, private: Iterable[str] = ()) -> None:
        """`private`: what else to replace, such as the caller's names and keys."""
        self._seen = {("account", account): 1}
        self._account = account
        longest_first = sorted({account, *private} - {""}, key=len, reverse=True)
        exact = (re.escape(one) if len(one) > 7 else rf"\b{re.escape(one)}\b" for one in longest_first)
        self._pattern = re.compile("|".join((f"(?P<private>{'|'.join(exact)})", *_PATTERNS)))

    def __call__(self, value: Any) -> Any:
        """The value as JSON can hold it."""
        if isinstance(value, dict):
            return {
                self._text(key): self._placeholder("hidden", str(inner))
                if inner and _HIDDEN.search(key)
                else self(inner)
                for key, inner in value.items()
            }
        if isinstance(value, list):
            return [self(inner) for inner in value]
        if isinstance(value, str | datetime):
            return self._text(value if isinstance(value, str) else value.isoformat())
        if value is None or isinstance(value, bool | int | float):
            return value if (text := self._text(str(value))) == str(value) else text
        return f"<{type(value).__name__}>"  # such as the stream of an answer

    def _text(self, text: str) -> str:
        """Redacted as it stands, URL-encoded and in JSON."""
        if (plain := unquote(text)) != text:
            return text if (redacted := self._text(plain)) == plain else quote(redacted)
        with suppress(ValueError):
            if text[:1] in ("{", "[", '"'):
                return text if (redacted := self(value := json.loads(text))) == value else json.dumps(redacted)
        return self._pattern.sub(self._found, text)

    def _found(self, found: re.Match[str]) -> str:
        kind, text = str(found.lastgroup), found[0]
        with suppress(ValueError):  # it only looks like an address
            if kind != "ip" or ip_address(text).is_global:
                return self._placeholder("account" if text == self._account else kind, text)
        return text

    def _placeholder(self, kind: str, text: str) -> str:
        number = self._seen.setdefault((kind, text), 1 + sum(one == kind for one, _ in self._seen))
        return f"{number:012d}" if kind == "account" else f"<{kind}-{number}>"
