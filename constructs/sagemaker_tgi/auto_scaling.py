"""Auto scaling of an endpoint's instances on the requests in flight."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_iam as iam
from constructs import Construct

from sagemaker_tgi.props import PropsCheck

_SERVICE_LINKED_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


@dataclass(frozen=True)
class InstanceScaling:
    """Keeps the requests in flight per instance near a target, by a metric of 10 s resolution.

    It sees load up to six times sooner than invocations per minute do, and counts a request for as long as it runs:
    one of 1,000 tokens weighs a hundred times one of 10.
    """

    min_capacity: int = 1
    """Instances at least; one or more, as an endpoint without inference components cannot scale to zero."""
    max_capacity: int = 2
    """Instances at most."""
    target_concurrent_requests: float = 32
    """Requests in flight per instance to aim at; more than 0."""
    scale_out_cooldown: cdk.Duration | None = None
    """Pause after a scale-out before the next. Default: 1 minute."""
    scale_in_cooldown: cdk.Duration | None = None
    """Pause after a scale-in before the next. Default: 5 minutes."""
    schedule: Mapping[str, appscaling.ScalingSchedule] = field(default_factory=dict)
    """Other bounds from a time on, by name. A deployment that changes the scalable target, this included, brings back
    its own bounds until the next time. Default: the same at any time."""

    def register(self, scope: Construct, *, endpoint_name: str, variant_name: str) -> appscaling.ScalableTarget:
        """Makes the variant's instances a scalable target, under Application Auto Scaling's service-linked role."""
        with PropsCheck(scope, "Scaling") as check:
            check.between("min_capacity", self.min_capacity, 1)
            check.between("max_capacity", self.max_capacity, max(self.min_capacity, 1))
            target = self.target_concurrent_requests
            if target <= 0 and not cdk.Token.is_unresolved(target):
                check.reject("target_concurrent_requests", target, "is not positive", "use 1 or more")
            for name, one in self.schedule.items():
                low = self.min_capacity if one.min_capacity is None else int(one.min_capacity)
                check.between(f"schedule[{name!r}].min_capacity", low, 1)
                high = self.max_capacity if one.max_capacity is None else one.max_capacity
                check.between(f"schedule[{name!r}].max_capacity", high, max(low, 1))
        # The CDK would create a role if none were given. The template names none: the service uses its own, which it
        # creates at the first registration.
        role_arn = cdk.Stack.of(scope).format_arn(
            service="iam", region="", resource="role", resource_name=_SERVICE_LINKED_ROLE
        )
        scalable = appscaling.ScalableTarget(
            Construct(scope, "Scaling"),
            "Target",
            service_namespace=appscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{endpoint_name}/variant/{variant_name}",
            scalable_dimension="sagemaker:variant:DesiredInstanceCount",
            role=iam.Role.from_role_arn(scope, "ScalingRole", role_arn, mutable=False),
            min_capacity=self.min_capacity,
            max_capacity=self.max_capacity,
        )
        resource = scalable.node.default_child
        assert isinstance(resource, appscaling.CfnScalableTarget)
        resource.role_arn = None
        scalable.scale_to_track_metric(
            "ConcurrentRequests",
            predefined_metric=appscaling.PredefinedMetric.SAGEMAKER_VARIANT_CONCURRENT_REQUESTS_PER_MODEL_HIGH_RESOLUTION,
            target_value=target,
            scale_out_cooldown=self.scale_out_cooldown or cdk.Duration.minutes(1),
            scale_in_cooldown=self.scale_in_cooldown or cdk.Duration.minutes(5),
        )
        for name, one in self.schedule.items():
            scalable.scale_on_schedule(name, **one._values)
        return scalable
