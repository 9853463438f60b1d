"""Application Auto Scaling: the role with which it scales, what goes with a target, and tags."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.applicationautoscaling.exceptions import AWSValidationException
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, FakeScalableTarget
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult, EmptyResult

from sagehost.patches import correction

_ROLE = (
    "arn:{partition}:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


def install() -> None:
    """Apply the corrections."""
    correction.replace(ApplicationAutoscalingBackend, "register_scalable_target", _with_the_services_role)
    correction.replace(ApplicationAutoscalingBackend, "deregister_scalable_target", _with_its_policies)
    correction.add(ApplicationAutoScalingResponse, "tag_resource", _tag_resource)
    correction.add(ApplicationAutoScalingResponse, "untag_resource", _untag_resource)
    correction.add(ApplicationAutoScalingResponse, "list_tags_for_resource", _list_tags_for_resource)


def _with_the_services_role(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replaces `ApplicationAutoscalingBackend.register_scalable_target`.

    A target of SageMaker that names no role has the service-linked one; moto leaves it without any.
    """

    @functools.wraps(original)
    def register_scalable_target(self: ApplicationAutoscalingBackend, namespace: str, *args: Any, **kwargs: Any) -> Any:
        target = original(self, namespace, *args, **kwargs)
        if namespace == "sagemaker" and target.role_arn is None:
            target.role_arn = _ROLE.format(partition=self.partition, account=self.account_id)
        return target

    return register_scalable_target


def _with_its_policies(original: Callable[..., None]) -> Callable[..., None]:
    """Replaces `ApplicationAutoscalingBackend.deregister_scalable_target`: moto keeps policies and schedules."""

    @functools.wraps(original)
    def deregister(self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str) -> None:
        original(self, namespace, r_id, dimension)
        for policy in [one for one in self.policies.values() if one.resource_id == r_id]:
            self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)
        self.scheduled_actions = [one for one in self.scheduled_actions if one.resource_id != r_id]

    return deregister


def _tags(self: ApplicationAutoScalingResponse) -> dict[str, str]:
    """The tags of the target that the request names. They live and die with moto's record of it."""
    arn = self._get_param("ResourceARN")
    targets = self.applicationautoscaling_backend.targets
    target: FakeScalableTarget
    for target in (target for by_resource in targets.values() for target in by_resource.values()):
        if target.arn == arn:
            tags: dict[str, str] = target.__dict__.setdefault("tags", {})
            return tags
    raise AWSValidationException(f"No scalable target found for {arn}")


def _tag_resource(self: ApplicationAutoScalingResponse) -> EmptyResult:
    """Adds `TagResource`, which moto lacks."""
    _tags(self).update(self._get_param("Tags"))
    return EmptyResult()


def _untag_resource(self: ApplicationAutoScalingResponse) -> EmptyResult:
    """Adds `UntagResource`, which moto lacks."""
    tags = _tags(self)
    for key in self._get_param("TagKeys"):
        tags.pop(key, None)
    return EmptyResult()


def _list_tags_for_resource(self: ApplicationAutoScalingResponse) -> ActionResult:
    """Adds `ListTagsForResource`, which moto lacks."""
    return ActionResult({"Tags": _tags(self)})
