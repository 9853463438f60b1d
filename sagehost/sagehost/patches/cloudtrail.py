"""CloudTrail: the event history."""

from __future__ import annotations

import json

from moto.cloudtrail.responses import CloudTrailResponse

from sagehost.patches import correction


@correction.adds(CloudTrailResponse)
def lookup_events(self: CloudTrailResponse) -> tuple[int, dict[str, str], str]:  # noqa: ARG001 - moto's signature
    """Adds `LookupEvents`, which moto lacks and the CDK CLI calls after a failed deployment: the history is empty."""
    return 200, {}, json.dumps({"Events": []})
