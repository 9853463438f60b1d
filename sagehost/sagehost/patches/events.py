"""EventBridge: what rules send to their targets."""

import json
import logging
from collections.abc import Callable
from copy import copy, deepcopy
from typing import Any

from moto.core.exceptions import ServiceException
from moto.events.models import Rule
from moto.events.utils import EventTemplateParser

from sagehost.patches import correction
from sagehost.patches.cloudwatch import iso, publish

_LOG = logging.getLogger(__name__)


@correction.replaces(Rule, "send_to_targets")
def _send_to_targets(original: Callable[..., None], self: Rule, event: Any, transform: bool = True) -> None:
    """moto sends nothing to SNS, and fails at a second target."""
    for target in self.targets if self.event_pattern.matches_event(event) else ():
        alone, template = copy(self), target.get("InputTransformer")
        alone.targets = [target]
        try:
            if target["Arn"].split(":")[2] == "sns":
                told = event | {"time": iso(event["time"])}
                if template:
                    told = EventTemplateParser.parse(template["InputTemplate"], template.get("InputPathsMap"), told)
                message = told if isinstance(told, str) else json.dumps(told)
                publish("events.amazonaws.com", self.arn, target["Arn"], message)
            else:
                original(alone, deepcopy(event), transform and template is not None)
        except (NotImplementedError, ServiceException) as error:
            _LOG.warning("%s sends nothing to %s: %s", self.name, target["Arn"], error)
