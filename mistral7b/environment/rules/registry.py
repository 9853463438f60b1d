"""The rules of environment files."""

from collections.abc import Callable, Iterator

from mistral7b.environment.rulebook import Finding, Rulebook
from mistral7b.environment.schema import Environment

Rule = Callable[[Environment], Iterator[Finding]]

_RULEBOOK = Rulebook[Environment]()
RULES = _RULEBOOK.rules
"""Every rule, with the fields that it reads."""
rule = _RULEBOOK.rule
check = _RULEBOOK.check
__all__ = ["RULES", "Finding", "Rule", "check", "rule"]
