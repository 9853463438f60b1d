"""Application Auto Scaling: the service-linked role, what goes with a target, alarms of policies, tags, activities."""

import json
from collections.abc import Callable
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.core.responses import ActionResult

from sagehost import scaling
from sagehost.moto_app import page
from sagehost.patches import correction
from sagehost.patches.iam import LINKED


@correction.replaces(ApplicationAutoscalingBackend, "register_scalable_target")
def _register_scalable_target(
    original: Callable[..., Any], self: ApplicationAutoscalingBackend, namespace: str, *args: Any, **given: Any
) -> Any:
    """A target of SageMaker that names no role has the service-linked one; moto leaves it without any."""
    target = original(self, namespace, *args, **given)
    if namespace == "sagemaker" and target.role_arn is None:
        role = f"role/aws-service-role/{LINKED[0]}/{LINKED[1]}"
        target.role_arn = f"arn:{self.partition}:iam::{self.account_id}:{role}"
    return target


@correction.replaces(ApplicationAutoscalingBackend, "deregister_scalable_target")
def _deregister_scalable_target(
    original: Callable[..., None], self: ApplicationAutoscalingBackend, namespace: str, r_id: str, dimension: str
) -> None:
    """moto keeps the policies and schedules of a target that is gone."""
    original(self, namespace, r_id, dimension)
    for policy in [one for one in self.policies.values() if one.resource_id == r_id]:
        self.delete_scaling_policy(policy.policy_name, namespace, r_id, dimension)
    self.scheduled_actions = [one for one in self.scheduled_actions if one.resource_id != r_id]


@correction.adds(ApplicationAutoScalingResponse, "tag_resource", "untag_resource", "list_tags_for_resource")
def _tags(self: ApplicationAutoScalingResponse) -> ActionResult:
    """TagResource, UntagResource and ListTagsForResource. Tags live and die with moto's record of the target."""
    arn, targets = self._get_param("ResourceARN"), self.applicationautoscaling_backend.targets.values()
    (found,) = (target for by_resource in targets for target in by_resource.values() if target.arn == arn)
    tags: dict[str, str] = vars(found).setdefault("tags", {})
    tags.update(self._get_param("Tags", {}))
    for key in self._get_param("TagKeys", []):
        tags.pop(key, None)
    return ActionResult({"Tags": tags})


@correction.replaces(ApplicationAutoScalingResponse, "register_scalable_target")
def _move(original: Callable[..., str], self: ApplicationAutoScalingResponse) -> str:
    """moto leaves the capacity outside of new bounds."""
    answer, named = original(self), [self._get_param(one) for one in ("ScalableDimension", "ResourceId")]
    scaling.move_into_bounds(self.applicationautoscaling_backend.targets[named[0]][named[1]])
    return answer


@correction.replaces(ApplicationAutoscalingBackend, "put_scaling_policy")
def _put_scaling_policy(original: Callable[..., Any], self: ApplicationAutoscalingBackend, **given: Any) -> Any:
    """moto gives a policy that is changed another ARN, and one of SageMaker no alarms."""
    before = dict(self.policies)
    policy = original(self, **given)
    for key, old in before.items():
        if self.policies[key] is not old:
            policy.policy_arn = old.policy_arn
            old.delete_alarms(self.account_id, self.region_name)
    scaling.follow(policy)
    return policy


@correction.adds(ApplicationAutoScalingResponse)
def describe_scaling_activities(self: ApplicationAutoScalingResponse) -> ActionResult:
    """DescribeScalingActivities, the newest first."""
    self._validate_params()
    asked = {"MaxResults": 50, **json.loads(self.body)}
    place, more = (self.current_account, self.region), asked.get("IncludeNotScaledActivities")
    found = [*scaling.ACTIVITIES[*place, True], *(scaling.ACTIVITIES[*place, False] if more else ())]
    found = [one for one in found if all(one.get(key, value) == value for key, value in asked.items())]
    found.sort(key=lambda one: one["StartTime"], reverse=True)
    return page("ScalingActivities", found, asked, "InvalidNextTokenException")
