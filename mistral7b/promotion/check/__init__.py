"""What only the accounts can show: whether each is ready for the pipeline, before anything is deployed."""

from mistral7b.promotion.check.checks import check
from mistral7b.promotion.check.cloud import Cloud
from mistral7b.promotion.check.finding import Finding

__all__ = ["Cloud", "Finding", "check"]
