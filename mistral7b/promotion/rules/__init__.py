"""Rules across fields of pipeline.yaml, each module those of one theme; importing it adds them to `RULES`."""

from mistral7b.promotion.rules import environments, github_actions, place
from mistral7b.promotion.unvalidated_pipeline import RULES, check

__all__ = ["RULES", "check", "environments", "github_actions", "place"]
