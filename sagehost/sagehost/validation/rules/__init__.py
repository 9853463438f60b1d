"""What services refuse beyond their models, as one table: `table.json`, with codes, messages and sources.

A rule's condition is a JMESPath expression over the request, with the functions of `rules.functions` and the kinds of
resources in `resources.json`. It gives what breaks the rule: nothing, a truth value, or the things that do, whose
members fill in the message.
"""

import json
import pkgutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jmespath

from sagehost.aws_errors import Refused
from sagehost.validation.asked import Asked

_TABLE = Path(__file__).with_name("table.json")


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A refusal: of which operations, with which code and message, as which source says."""

    service: str
    operations: tuple[str, ...]
    code: str
    source: str
    message: str
    """A pattern of `str.format`, filled in with the request, the caller's account and region, and what breaks it."""
    condition: Any
    """A compiled expression of JMESPath."""

    def breaches(self, asked: Asked) -> Iterator[Mapping[str, Any]]:
        """The values of the message, for each thing in a request that breaks the rule."""
        functions = _functions()(asked)
        found = self.condition.search(asked.given, jmespath.Options(custom_functions=functions))
        for one in found if isinstance(found, list) else [found] if found else []:
            yield defaultdict(str, {**functions.values, **(one if isinstance(one, dict) else {"value": one})})


@cache
def _functions() -> Any:
    """The class of functions: when first needed, as it imports the services, which import this package."""
    return pkgutil.resolve_name(f"{__name__}.functions:Functions")


@cache
def table() -> tuple[Rule, ...]:
    """All rules, by service, operations and code in the file."""
    return tuple(
        Rule(
            service=service,
            operations=tuple(key.partition(":")[0].split()),
            code=key.partition(": ")[2],
            source=group["source"],
            message=message,
            condition=jmespath.compile(expression),
        )
        for service, groups in json.loads(_TABLE.read_text()).items()
        for key, group in groups.items()
        for message, expression in group.items()
        if message != "source"
    )


@cache
def _rules() -> Mapping[tuple[str, str], list[Rule]]:
    rules = defaultdict[tuple[str, str], list[Rule]](list)
    for rule in table():
        for operation in rule.operations:
            rules[rule.service, operation].append(rule)
    return rules


def check(asked: Asked) -> None:
    """Raise Refused for the first rule that a request breaks; NotImplementedError for one of what is not emulated."""
    for rule in _rules().get((asked.service, asked.operation), ()):
        for breach in rule.breaches(asked):
            message = rule.message.format_map(breach)
            raise NotImplementedError(message) if rule.code == "NotImplemented" else Refused(rule.code, message)
