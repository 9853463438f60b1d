"""Endpoints as moto keeps them for describe and list operations, and what of each runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.models import FakeEndpoint

from sagehost.hosting.capture import Capture
from sagehost.hosting.deployment import VariantPlan
from sagehost.hosting.fleet import EndpointKey, RunningVariant


@dataclass
class EndpointRecord:
    """An endpoint: moto's object, the plans it was last deployed by, its DataCaptureConfig, what runs and captures."""

    endpoint: FakeEndpoint
    key: EndpointKey
    plans: list[VariantPlan]
    data_capture: Mapping[str, Any] | None = None
    running: tuple[RunningVariant, ...] = ()
    capture: Capture | None = None

    @property
    def status(self) -> str:
        """Its EndpointStatus."""
        return str(self.endpoint.endpoint_status)

    def describe(self, **attributes: object) -> None:
        """Set what DescribeEndpoint shows: moto shows every attribute that is not None."""
        vars(self.endpoint).update(attributes)

    def show(self, status: str, plans: Sequence[VariantPlan], failure_reason: str | None = None) -> None:
        """Show that these plans are being deployed, or are."""
        self.describe(
            failure_reason=failure_reason,
            last_modified_time=utcnow(),
            production_variants=_summaries(plans, self.running),
            endpoint_status=status,
        )


Records = dict[EndpointKey, EndpointRecord]


def _summaries(desired: Sequence[VariantPlan], running: Sequence[RunningVariant]) -> list[dict[str, Any]]:
    """ProductionVariants of DescribeEndpoint."""
    present = {variant.name: variant for variant in running}
    summaries = []
    for variant in desired:
        now = present.get(variant.name)
        strategy = "LEAST_OUTSTANDING_REQUESTS" if variant.least_outstanding else "RANDOM"
        summaries.append(
            {
                "VariantName": variant.name,
                "DeployedImages": [{"SpecifiedImage": variant.image, "ResolvedImage": variant.image}],
                "CurrentWeight": now.weight if now else 0.0,
                "DesiredWeight": variant.weight,
                "CurrentInstanceCount": len(now.instances) if now else 0,
                "DesiredInstanceCount": variant.instances,
                "RoutingConfig": {"RoutingStrategy": strategy},
            }
        )
    return summaries
