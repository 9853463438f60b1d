"""pipeline.yaml: what is promoted, from a commit to production; typed and checked before anything is deployed."""

from mistral7b.environment.load import PIPELINE_FILE
from mistral7b.promotion.load import load_promotion
from mistral7b.promotion.promotion import PromotedEnvironment, Promotion
from mistral7b.promotion.schema import PipelineSettings, json_schema

__all__ = [
    "PIPELINE_FILE",
    "PipelineSettings",
    "PromotedEnvironment",
    "Promotion",
    "json_schema",
    "load_promotion",
]
