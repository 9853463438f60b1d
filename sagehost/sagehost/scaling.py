"""Application Auto Scaling acts: policies when their alarms do, scheduled actions at their times, new bounds at once.

Counts change by SageMaker's UpdateEndpointWeightsAndCapacities, which the service-linked role's policy allows. At speed
`instant` there are no metrics, and no policy acts; scheduled actions and bounds do at every speed.
https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-scaling-activities.html
"""

import math
import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from moto.applicationautoscaling.models import (
    FakeApplicationAutoscalingPolicy,
    FakeScalableTarget,
    FakeScheduledAction,
    applicationautoscaling_backends,
)
from moto.cloudwatch.models import Alarm, cloudwatch_backends

from sagehost import moto_app, schedules
from sagehost.clock import CLOCK
from sagehost.hosting.endpoints import HOSTED, EndpointRecord
from sagehost.hosting.fleet import EndpointKey
from sagehost.patches.cloudwatch import ACTIONS
from scaling_rules.policy import DEFAULT_COOLDOWN_S, METRIC_RULES, SCALE_IN_SHARE
from scaling_rules.tracking import Bounds, TargetTracking

ACTIVITIES = defaultdict[tuple[str, str, bool], deque[dict[str, Any]]](lambda: deque(maxlen=1000))
"""The last activities, by account, region, and whether they scale: others, once a minute, would push these out."""

_RUNNING: list[Callable[[float], bool]] = []
"""Activities in progress. Each is called with the time, ends when the update has, and returns whether it has ended."""


def follow(policy: FakeApplicationAutoscalingPolicy) -> None:
    """Makes a target-tracking policy's two alarms."""
    configuration = vars(policy)["_policy_body"]
    target, cooldowns = configuration["TargetValue"], ("ScaleOutCooldown", "ScaleInCooldown")
    vars(policy)["tracking"] = TargetTracking(
        target, *(configuration.get(one, DEFAULT_COOLDOWN_S) for one in cooldowns)
    )
    predefined = configuration["PredefinedMetricSpecification"]["PredefinedMetricType"]
    rule = next(one for one in METRIC_RULES.values() if one.name == predefined)
    _, endpoint, _, variant = policy.resource_id.split("/")
    for name, operator, threshold, points in (
        ("High", "GreaterThanThreshold", target, rule.points_out),
        ("Low", "LessThanThreshold", SCALE_IN_SHARE * target, rule.points_in),
    ):
        policy.alarms.append(
            cloudwatch_backends[policy.account_id][policy.region_name].put_metric_alarm(
                name=f"TargetTracking-{policy.resource_id}-Alarm{name}-{uuid.uuid4()}",
                description=f"DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {policy.policy_arn}.",
                namespace="AWS/SageMaker",
                metric_name=rule.metric,
                dimensions=[{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": variant}],
                statistic=rule.statistic,
                period=int(rule.period_s),
                evaluation_periods=points,
                comparison_operator=operator,
                threshold=threshold,
                alarm_actions=[policy.policy_arn],
            )
        )


def move_into_bounds(target: FakeScalableTarget) -> None:
    """Brings the capacity of a target into its bounds."""
    _, before = _state(target)
    after = _bounds(target).within(before)
    if after != before:
        _change(target, before, after, f"{'minimum' if after > before else 'maximum'} capacity was set to {after}")


def act(alarm: Alarm, metric: float, now: float) -> None:
    """A policy acts on one of its alarms, whose last data point has this value."""
    _RUNNING[:] = [ends for ends in _RUNNING if not ends(now)]
    _, _, _, region, account, _ = alarm.alarm_arn.split(":", 5)
    backend, out = applicationautoscaling_backends[account][region], alarm.comparison_operator == "GreaterThanThreshold"
    for policy in [one for one in backend.policies.values() if alarm.name in [own.name for own in one.alarms]]:
        target, tracking = backend.targets[policy.scalable_dimension][policy.resource_id], vars(policy)["tracking"]
        (record, before), bounds = _state(target), _bounds(target)
        suspended, never = vars(target)["suspended_state"] or {}, vars(policy)["_policy_body"].get("DisableScaleIn")
        stays = not out and (never or (record and record.status == "Updating"))
        if stays or suspended.get(f"DynamicScaling{'Out' if out else 'In'}Suspended"):
            continue
        after = (tracking.scale_out if out else tracking.scale_in)(now, metric, before, bounds)
        cause = f"monitor alarm {alarm.name} in state ALARM triggered policy {policy.policy_name}"
        if after != before:
            _change(target, before, after, cause, tracking)
        elif before == (bounds.high if out else bounds.low):
            limit = "Max" if out else "Min"
            reason = {"Code": f"AlreadyAt{limit}Capacity", f"{limit}Capacity": before}
            what = "Attempting to scale due to alarm triggered"
            _tell(target, what, cause, StatusCode="Failed", NotScaledReasons=[reason])


def _bounds(target: FakeScalableTarget) -> Bounds:
    return Bounds(target.min_capacity or 0, target.max_capacity or 0)  # a rule requires both


def _state(target: FakeScalableTarget) -> tuple[EndpointRecord | None, int]:
    """A target's endpoint, unless it is deleted, and the instances that the variant is to have."""
    backend, (_, endpoint, _, variant) = target.applicationautoscaling_backend, target.resource_id.split("/")
    record = HOSTED.records.get(EndpointKey(backend.account_id, backend.region_name, endpoint))
    shown = vars(record.endpoint)["production_variants"] if record else []
    return record, sum(one["DesiredInstanceCount"] for one in shown if one["VariantName"] == variant)


def _tell(target: FakeScalableTarget, description: str, cause: str, **failed: Any) -> dict[str, Any]:
    backend = target.applicationautoscaling_backend
    told: dict[str, Any] = {"ActivityId": str(uuid.uuid4()), "StatusCode": "InProgress", "StartTime": CLOCK.now()}
    told |= {"ServiceNamespace": target.service_namespace, "ResourceId": target.resource_id, "Cause": cause}
    told |= {"ScalableDimension": target.scalable_dimension, "Description": description, **failed}
    ACTIVITIES[backend.account_id, backend.region_name, not failed].append(told)
    return told


def _end(activity: dict[str, Any], what: str, failure: str | None, fulfilled: str = "") -> None:
    message = f"Failed to set {what}. Reason: {failure}" if failure else f"Successfully set {what}{fulfilled}"
    activity.update(EndTime=CLOCK.now(), StatusCode="Failed" if failure else "Successful", StatusMessage=message)


def _change(
    target: FakeScalableTarget, before: int, after: int, cause: str, tracking: TargetTracking | None = None
) -> None:
    """Changes the capacity: an activity that ends when the endpoint is in service with it."""
    backend, (_, endpoint, _, variant) = target.applicationautoscaling_backend, target.resource_id.split("/")
    desired, what = [{"VariantName": variant, "DesiredInstanceCount": after}], f"desired instance count to {after}"
    activity = _tell(target, f"Setting {what}.", cause)

    def ends(now: float) -> bool:
        record, reached = _state(target)
        if record and record.status == "Updating":
            return False
        failure = (record and vars(record.endpoint).get("failure_reason")) or "The endpoint has another count."
        _end(activity, what, None if reached == after else failure, ". Change successfully fulfilled by sagemaker.")
        if tracking:
            tracking.ended(now if reached == after else -math.inf)
        return True

    try:
        sagemaker = moto_app.client("sagemaker", backend.account_id, backend.region_name)
        sagemaker.update_endpoint_weights_and_capacities(EndpointName=endpoint, DesiredWeightsAndCapacities=desired)
    except ClientError as error:
        of = error.response["Error"]
        _end(activity, what, f"{of['Message']} (Service: AmazonSageMaker; Error Code: {of['Code']})")
        return
    activity["StatusMessage"] = f"Successfully set {what}. Waiting for change to be fulfilled by sagemaker."
    _RUNNING.append(ends)
    if tracking:
        tracking.started(CLOCK.seconds(), before, after)


class _Clockwork:
    """Ends activities and runs scheduled actions."""

    def __init__(self) -> None:
        self._last = CLOCK.now()

    def tick(self, seconds: float) -> None:
        """Does what has been due since the last tick; of each scheduled action the latest time counts."""
        now = datetime.fromtimestamp(seconds, UTC)
        with moto_app.STATE:
            _RUNNING[:] = [ends for ends in _RUNNING if not ends(seconds)]
            regions = [one for account in list(applicationautoscaling_backends.values()) for one in account.values()]
            found = [action for region in regions for action in region.scheduled_actions]
            due = [(at, action) for action in found if (at := self._due(action, now))]
            self._last = now
            for _, action in sorted(due, key=lambda one: one[0]):
                _run(action)

    def _due(self, action: FakeScheduledAction, now: datetime) -> float | None:
        start, end = (float(one) if one else None for one in (action.start_time, action.end_time))
        found = [one.timestamp() for one in schedules.times(action.schedule, action.timezone or "UTC", self._last, now)]
        return max((at for at in found if (start or at) <= at <= (end or at)), default=None)


def _run(action: FakeScheduledAction) -> None:
    _, _, _, region, account, *_ = action.arn.split(":")
    target = applicationautoscaling_backends[account][region].targets[action.scalable_dimension][action.resource_id]
    if (vars(target)["suspended_state"] or {}).get("ScheduledScalingSuspended"):
        return
    given: Any = action.scalable_target_action
    low, high = _bounds(target).changed(given.get("MinCapacity"), given.get("MaxCapacity"))
    what = f"min capacity to {low} and max capacity to {high}"
    activity = _tell(target, f"Setting {what}", f"scheduled action name {action.scheduled_action_name} was triggered")
    failure = "Minimum capacity must not exceed maximum capacity." if low > high else None
    _end(activity, what, failure)
    if not failure:
        target.min_capacity, target.max_capacity = low, high
        move_into_bounds(target)


ACTIONS["autoscaling"] = act
CLOCK.every(1.0, _Clockwork().tick)
