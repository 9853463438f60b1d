"""SageMaker hosting."""

import time

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Provider, Resource
from sagehost.cloudformation.values import Json

_POLL_S = 0.1
"""Time between two looks at an endpoint that is changing."""

_PATIENCE_S = 600
"""An endpoint that is still changing after this has failed. The emulated lifecycle takes seconds."""


def _settled(resource: Resource, properties: Props) -> Json:
    """The endpoint once it is no longer changing."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        endpoint = resource.call_on("describe_endpoint", properties)
        if endpoint["EndpointStatus"] in ("InService", "Failed", "OutOfService", "UpdateRollbackFailed"):
            return endpoint
        if time.monotonic() > deadline:
            raise ResourceFailure(f"Endpoint {endpoint['EndpointName']} is still {endpoint['EndpointStatus']}")
        time.sleep(_POLL_S)


def update(resource: Resource, new: Props, old: Props) -> None:
    """Updates an endpoint, and waits for the end of it."""
    if not old:
        return
    _settled(resource, new)  # SageMaker refuses to update an endpoint that is still changing
    taken = resource.input_shape("update_endpoint").members
    resource.call_on("update_endpoint", new, **{key: value for key, value in new.items() if key in taken})
    after = _settled(resource, new)
    # Whether CloudFormation compares EndpointConfigName is not known: here it does not, so that `smoke` has to.
    if reason := after.get("FailureReason"):
        raise ResourceFailure(f"Update of endpoint {after['EndpointName']} failed: {reason}")


class Endpoint(Provider):
    """An endpoint, which takes its time."""

    def wait(self, resource: Resource) -> None:
        """Wait until the endpoint is in service; fails with SageMaker's reason."""
        endpoint = _settled(resource, {})
        if endpoint["EndpointStatus"] != "InService":
            reason = endpoint.get("FailureReason", "no reason given")
            raise ResourceFailure(f"Endpoint {endpoint['EndpointName']} is {endpoint['EndpointStatus']}: {reason}")

    def delete(self, resource: Resource, properties: Props) -> None:
        """SageMaker refuses to delete an endpoint that is still changing."""
        _settled(resource, properties)
        super().delete(resource, properties)
