"""EventBridge: rules send events to SNS topics."""

import json
from collections.abc import Callable
from copy import copy
from typing import Any

from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from sagehost.patches import correction
from sagehost.patches.cloudwatch import publish


@correction.replaces(Rule, "send_to_targets")
def _send_to_targets(original: Callable[..., None], self: Rule, event: Any, transform: bool = True) -> None:
    """moto sends nothing to SNS, and fails."""
    others, topics = copy(self), [one for one in self.targets if ":sns:" in one["Arn"]]
    others.targets = [one for one in self.targets if one not in topics]
    for target in topics if self.event_pattern.matches_event(event) else ():
        template = target.get("InputTransformer", {})
        told: Any = EventTemplateParser.parse(template.get("InputTemplate"), template.get("InputPathsMap"), event)
        publish("events.amazonaws.com", self.arn, target["Arn"], told if isinstance(told, str) else json.dumps(told))
    original(others, event, transform)
