"""Rules across fields of the pipeline file, each module those of one theme; importing it adds them to `RULES`."""

from mistral7b.promotion.rules import environments, github_actions, order, place, size, source
from mistral7b.promotion.rules.registry import RULES, check

__all__ = ["RULES", "check", "environments", "github_actions", "order", "place", "size", "source"]
