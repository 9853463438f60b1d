"""Redacts recordings. Equal values get equal placeholders, different values different ones."""

import json
import re
from collections.abc import Iterable
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
            return {self._text(key): self._field(key, inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [self(inner) for inner in value]
        if isinstance(value, str | datetime):
            return self._text(value if isinstance(value, str) else value.isoformat())
        if value is None or isinstance(value, bool | int | float):
            return value if (text := self._text(str(value))) == str(value) else text
        return f"<{type(value).__name__}>"  # such as the stream of an answer

    def _field(self, key: str, value: Any) -> Any:
        return self._placeholder("hidden", str(value)) if value and _HIDDEN.search(key) else self(value)

    def _text(self, text: str) -> str:
        """Redacted as it stands, URL-encoded and in JSON."""
        if (plain := unquote(text)) != text:
            return text if (redacted := self._text(plain)) == plain else quote(redacted)
        if text[:1] in ("{", "[", '"'):
            try:
                value = json.loads(text)
            except ValueError:
                return self._pattern.sub(self._found, text)
            return text if (redacted := self(value)) == value else json.dumps(redacted)
        return self._pattern.sub(self._found, text)

    def _found(self, found: re.Match[str]) -> str:
        if found.lastgroup == "ip":
            try:
                if not ip_address(found[0]).is_global:
                    return found[0]
            except ValueError:
                return found[0]
        return self._placeholder("account" if found[0] == self._account else str(found.lastgroup), found[0])

    def _placeholder(self, kind: str, text: str) -> str:
        number = self._seen.setdefault((kind, text), 1 + sum(one == kind for one, _ in self._seen))
        return f"{number:012d}" if kind == "account" else f"<{kind}-{number}>"
