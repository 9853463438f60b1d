"""CodePipeline's API, in the place of moto's, of which only the wire protocol is used."""

from __future__ import annotations

from localaws.codepipeline.api_executions import Executions
from localaws.codepipeline.api_pipelines import Pipelines


class CodePipeline(Pipelines, Executions):
    """All operations."""
