"""The pipeline file's reference in Markdown, written from the schema."""

from mistral7b.environment.reference import written
from mistral7b.promotion.schema import json_schema

_HEAD = """\
# The pipeline file

Written from the schema by `make schema`. `environments/pipeline.yaml` says what is promoted, in which order, and what
has to succeed before the next environment is deployed. Without the file there is no pipeline. Rules across fields are
checked on loading: each environment has a file and is promoted once, production comes last and is approved by someone,
and all are in accounts and regions that one pipeline can reach. `mistral7b pipeline check` asks the accounts
themselves.

An environment is production if one of the words of its name is `prod`, `production` or `live`: `prod`, `eu-prod`.
"""


def markdown() -> str:
    """Every field of the pipeline file."""
    return written(_HEAD, json_schema())
