"""What Application Auto Scaling and SageMaker know of each other.

SageMaker guide, "Update endpoints that use auto scaling" and "Delete endpoints configured for auto scaling".
"""

from collections.abc import Sequence
from typing import Any

from moto.sagemaker.exceptions import ValidationError

from localaws.hosting.fleet import EndpointKey
from localaws.hosting.plans import VariantPlan


def check_update(key: EndpointKey, current: Sequence[VariantPlan], wanted: Sequence[VariantPlan]) -> None:
    """Whether every scaled variant stays, on the same instance type. Raises ValidationError."""
    scaled = {target.resource_id.rsplit("/", 1)[-1] for target in _targets(key)}
    kept = {(variant.name, variant.instance_type) for variant in wanted}
    stuck = [one.name for one in current if one.name in scaled and (one.name, one.instance_type) not in kept]
    if stuck:
        # The guide says that the call fails, not in which words.
        raise ValidationError(
            message=f'The variant(s) "{", ".join(stuck)}" must be deregistered as scalable target(s) with AWS '
            "Application Auto Scaling before they can be removed or have their instance type updated."
        )


def deregister(key: EndpointKey) -> None:
    """Deregister the scalable targets of an endpoint that is deleted."""
    for target in _targets(key):
        _backend(key).deregister_scalable_target("sagemaker", target.resource_id, target.scalable_dimension)


def _targets(key: EndpointKey) -> list[Any]:
    found = _backend(key).describe_scalable_targets("sagemaker", None, None)
    return [target for target in found if target.resource_id.startswith(f"endpoint/{key.name}/variant/")]


def _backend(key: EndpointKey) -> Any:
    from moto.applicationautoscaling.models import applicationautoscaling_backends  # noqa: PLC0415 - slow to load

    return applicationautoscaling_backends[key.account][key.region]
