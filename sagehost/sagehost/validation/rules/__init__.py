"""What services refuse beyond their models, as one table: rules by service, each with code, message and source."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from sagehost.aws_errors import Refused
from sagehost.validation.asked import Asked


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A refusal: of which operations, with which code and message, as which source says."""

    operations: str
    """Names of operations, between blanks."""
    code: str
    message: str
    """A pattern of `str.format`, filled in with what `breaches` gives."""
    source: str
    breaches: Callable[[Asked], Iterable[Mapping[str, Any]]]
    """What breaks the rule in a request: for each breach the values of the message."""


@cache
def _rules(service: str) -> tuple[Rule, ...]:
    name = f"{__name__}.{service.replace('-', '_')}"
    known = {module.name for module in pkgutil.iter_modules(__path__, f"{__name__}.")}
    return importlib.import_module(name).RULES if name in known else ()


def check(asked: Asked) -> None:
    """Raise Refused for the first rule that a request breaks."""
    for rule in _rules(asked.service):
        if asked.operation in rule.operations.split():
            for breach in rule.breaches(asked):
                raise Refused(rule.code, rule.message.format_map(breach))
