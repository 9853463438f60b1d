"""The pipelines, projects and connections that are deployed, and what changes of them without a deployment."""

import uuid
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

RESOURCES: defaultdict[tuple[str, str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
"""Account, region and resource type -> by physical id, the properties."""

PIPELINE = "AWS::CodePipeline::Pipeline"

AVAILABLE: set[str] = set()
"""The connections that had their handshake: on AWS, a click in the console, with which the user lets AWS in."""


@dataclass
class Approval:
    """An approval that an execution of a pipeline waits for."""

    execution: str
    token: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    summary: str = ""


APPROVALS: dict[tuple[str, str, str, str, str], Approval] = {}
"""Account, region, pipeline, stage and action -> the last one that was asked for there."""


def status(connection: str) -> str:
    """The ConnectionStatus of a connection."""
    return "AVAILABLE" if connection in AVAILABLE else "PENDING"
