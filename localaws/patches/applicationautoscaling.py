"""Application Auto Scaling: the role with which it scales."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.applicationautoscaling.models import ApplicationAutoscalingBackend

from localaws.patches import correction

_ROLE = (
    "arn:aws:iam::{account}:role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)


def install() -> None:
    """Apply the corrections."""
    correction.replace(ApplicationAutoscalingBackend, "register_scalable_target", _with_the_services_role)


def _with_the_services_role(original: Callable[..., Any]) -> Callable[..., Any]:
    """Replaces `ApplicationAutoscalingBackend.register_scalable_target`.

    A target of SageMaker that names no role has the service-linked one; moto leaves it without any.
    """

    @functools.wraps(original)
    def register_scalable_target(self: ApplicationAutoscalingBackend, namespace: str, *args: Any, **kwargs: Any) -> Any:
        target = original(self, namespace, *args, **kwargs)
        if namespace == "sagemaker" and target.role_arn is None:
            target.role_arn = _ROLE.format(account=self.account_id)
        return target

    return register_scalable_target
