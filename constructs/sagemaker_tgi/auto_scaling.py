"""Auto scaling of an endpoint's instances on the requests in flight."""

from dataclasses import dataclass

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
    """How the number of instances follows the requests in flight."""

    min_capacity: int = 1
    """Instances at least; one or more."""
    max_capacity: int = 2
    """Instances at most."""
    target_concurrent_requests: float = 32
    """Requests in flight per instance to aim at; more than 0."""
    scale_out_cooldown: cdk.Duration | None = None
    """Pause after a scale-out before the next. Default: 1 minute."""
    scale_in_cooldown: cdk.Duration | None = None
    """Pause after a scale-in before the next. Default: 5 minutes."""


class ScalableInstanceCount(appscaling.BaseScalableAttribute):
    """The instances of one variant as a scalable target, under Application Auto Scaling's service-linked role."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        variant_name: str,
        max_capacity: int,
        min_capacity: int = 1,
    ) -> None:
        """Registers the variant.

        Args:
            scope: Parent construct.
            construct_id: Id within `scope`.
            endpoint_name: The endpoint.
            variant_name: Its variant.
            max_capacity: Instances at most.
            min_capacity: Instances at least; one or more, as an endpoint without inference components cannot
                scale to zero.

        Raises:
            InvalidPropsError: with every problem of the props.
        """
        with PropsCheck(scope, construct_id) as check:
            check.between("min_capacity", min_capacity, 1)
            check.between("max_capacity", max_capacity, max(min_capacity, 1))
        # Without this role the CDK would make another. It is the service's own, which it takes, and makes at the first
        # registration, where none is named: so the template names none.
        role_arn = cdk.Stack.of(scope).format_arn(
            service="iam", region="", resource="role", resource_name=_SERVICE_LINKED_ROLE
        )
        super().__init__(
            scope,
            construct_id,
            service_namespace=appscaling.ServiceNamespace.SAGEMAKER,
            resource_id=f"endpoint/{endpoint_name}/variant/{variant_name}",
            dimension="sagemaker:variant:DesiredInstanceCount",
            role=iam.Role.from_role_arn(scope, f"{construct_id}Role", role_arn, mutable=False),
            min_capacity=min_capacity,
            max_capacity=max_capacity,
        )
        target = self.node.find_child("Target").node.default_child
        assert isinstance(target, appscaling.CfnScalableTarget)
        target.role_arn = None

    def scale_on_concurrent_requests(
        self,
        construct_id: str,
        *,
        target_concurrent_requests: float,
        scale_out_cooldown: cdk.Duration | None = None,
        scale_in_cooldown: cdk.Duration | None = None,
    ) -> None:
        """Keeps the requests in flight per instance near a target, by a metric of 10 s resolution.

        It sees load up to six times sooner than invocations per minute do, and counts a request for as long as it
        runs: one of 1,000 tokens weighs a hundred times one of 10.

        Args:
            construct_id: Id of the policy.
            target_concurrent_requests: Requests in flight per instance to aim at; more than 0.
            scale_out_cooldown: Pause after a scale-out before the next. Default: 1 minute.
            scale_in_cooldown: Pause after a scale-in before the next. Default: 5 minutes.

        Raises:
            InvalidPropsError: if the target is not positive.
        """
        if target_concurrent_requests <= 0 and not cdk.Token.is_unresolved(target_concurrent_requests):
            with PropsCheck(self, construct_id) as check:
                check.reject("target_concurrent_requests", target_concurrent_requests, "is not positive", "use 1 or more")
        self._do_scale_to_track_metric(
            construct_id,
            predefined_metric=appscaling.PredefinedMetric.SAGEMAKER_VARIANT_CONCURRENT_REQUESTS_PER_MODEL_HIGH_RESOLUTION,
            target_value=target_concurrent_requests,
            scale_out_cooldown=scale_out_cooldown or cdk.Duration.minutes(1),
            scale_in_cooldown=scale_in_cooldown or cdk.Duration.minutes(5),
        )
