"""Names that people know from later versions of TGI, from the Hub and from OpenAI, and what TGI 1.1.0 has instead."""

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any


@cache
def _known(kind: str) -> dict[str, Any]:
    table = json.loads(files("mistral7b.tgi").joinpath("other_names.json").read_text(encoding="utf-8"))[kind]
    return {name: told for names, told in table.items() for name in names.split()}


def reason_and_fix(variable: str) -> tuple[str, str] | None:
    """Why an environment file cannot have this variable, and what to do, if it is a known one."""
    told: list[str] | None = _known("variables").get(variable)
    return (told[0], told[1]) if told else None


def in_request(body: bytes) -> Iterator[str]:
    """A sentence about each field of a request that is known elsewhere, but not to TGI 1.1.0."""
    try:
        request = json.loads(body)
    except ValueError:  # the container says what is wrong with it
        return
    for fields in (request, request.get("parameters")) if isinstance(request, dict) else ():
        if isinstance(fields, dict):
            yield from (f"`{name}`: {told}" for name, told in _known("request").items() if name in fields)
