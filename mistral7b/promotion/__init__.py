"""pipeline.yaml: what is promoted, from a commit to production; typed and checked before anything is deployed."""

from mistral7b.environment.load import PIPELINE_FILE as PIPELINE_FILE
from mistral7b.promotion.load import load_promotion as load_promotion
from mistral7b.promotion.schema import PipelineSettings as PipelineSettings
from mistral7b.promotion.schema import PromotedEnvironment as PromotedEnvironment
from mistral7b.promotion.schema import Promotion as Promotion
from mistral7b.promotion.schema import json_schema as json_schema
