"""The rules of the pipeline file."""

from mistral7b.environment.rulebook import Finding, Rulebook
from mistral7b.promotion.draft import Draft

_RULEBOOK = Rulebook[Draft]()
RULES = _RULEBOOK.rules
"""Every rule, with the fields that it reads."""
rule = _RULEBOOK.rule
check = _RULEBOOK.check
__all__ = ["RULES", "Finding", "check", "rule"]
