"""EventBridge: rules whose targets are SNS topics."""

from __future__ import annotations

import copy
import functools
import json
import logging
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from moto.events.models import Rule
from moto.events.utils import EventTemplateParser
from moto.kms.models import kms_backends
from moto.sns.models import Topic, sns_backends

from localaws.accounts import url_suffix
from localaws.patches import correction
from localaws.policies import NotEvaluated, allows_service

LOG = logging.getLogger(__name__)

_SERVICE = "events.amazonaws.com"


def install() -> None:
    """Apply the corrections."""
    correction.replace(Rule, "send_to_targets", _to_topics_too)


def _to_topics_too(original: Callable[..., None]) -> Callable[..., None]:
    """Replaces `Rule.send_to_targets`: moto knows no topics as targets, and sends by rules that are disabled too."""

    @functools.wraps(original)
    def send_to_targets(self: Rule, original_event: Any, transform_input: bool = True) -> None:
        if self.state != "ENABLED":
            return
        if self.event_pattern.matches_event(original_event):
            for target in filter(_is_topic, self.targets):
                _deliver(self, target, original_event)
        others = copy.copy(self)
        others.targets = [target for target in self.targets if not _is_topic(target)]
        original(others, original_event, transform_input)

    return send_to_targets


def _is_topic(target: Mapping[str, Any]) -> bool:
    return str(target["Arn"]).split(":")[2] == "sns"


def _deliver(rule: Rule, target: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    """Publish an event, where topic and key let EventBridge: where they do not, AWS does not tell anybody either."""
    arn = str(target["Arn"])
    topic: Topic | None = sns_backends[arn.split(":")[4]][arn.split(":")[3]].topics.get(arn)
    if topic is None or not _may_publish(rule, topic):
        LOG.warning("rule %s of EventBridge cannot publish to %s", rule.name, arn)
        return
    topic.publish(json.dumps(_transformed(target, event), ensure_ascii=False))


def _transformed(target: Mapping[str, Any], event: Mapping[str, Any]) -> Any:
    """What a target gets of an event. A text comes in quotation marks, as EventBridge sends it."""
    time = datetime.fromtimestamp(float(event["time"]), UTC)
    wanted: Any = {**event, "time": f"{time:%Y-%m-%dT%H:%M:%SZ}"}
    if "Input" in target:
        return json.loads(target["Input"])
    if transformer := target.get("InputTransformer"):
        return EventTemplateParser.parse(transformer["InputTemplate"], transformer.get("InputPathsMap", {}), wanted)
    return {key: value for key, value in wanted.items() if key != "ingestion-time"}


def _may_publish(rule: Rule, topic: Topic) -> bool:
    to_topic = {
        "aws:sourcearn": rule.arn,
        "aws:sourceaccount": rule.account_id,
        "aws:sourceowner": None,  # what a topic's default policy asks for
        "aws:securetransport": "true",
    }
    # SNS asks for the key in EventBridge's name, and does not say for which rule:
    # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    to_key = {
        "aws:sourcearn": None,
        "aws:sourceaccount": None,
        "kms:viaservice": f"sns.{rule.region_name}.{url_suffix(rule.region_name)}",
        "kms:encryptioncontext:aws:sns:topicarn": topic.arn,
    }
    try:
        if not allows_service(topic.policy, "sns:Publish", _SERVICE, to_topic):
            return False
        if not topic.kms_master_key_id:
            return True
        backend = kms_backends[topic.account_id][rule.region_name]
        key = backend.keys[backend.any_id_to_key_id(topic.kms_master_key_id)]
        needed = ("kms:Decrypt", "kms:GenerateDataKey")
        return all(allows_service(key.policy, action, _SERVICE, to_key) for action in needed)
    except (KeyError, NotEvaluated) as error:
        LOG.warning("whether rule %s of EventBridge can publish to %s: %s", rule.name, topic.arn, error)
        return False
