"""SageMaker hosting."""

import time

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.provider import Props, Provider, Resource, Setting
from sagehost.cloudformation.values import Json

_POLL_S = 0.1
"""Time between two looks at an endpoint that is changing."""

_PATIENCE_S = 600
"""An endpoint that is still changing after this has failed. The emulated lifecycle takes seconds."""

_UPDATED = (
    "EndpointConfigName",
    "DeploymentConfig",
    "RetainAllVariantProperties",
    "ExcludeRetainedVariantProperties",
    "RetainDeploymentConfig",
)


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


def _update(resource: Resource, new: Props, old: Props) -> None:
    if not old:
        return
    _settled(resource, new)  # SageMaker refuses to update an endpoint that is still changing
    resource.call_on("update_endpoint", new, **{key: new[key] for key in _UPDATED if key in new})
    after = _settled(resource, new)
    # Whether CloudFormation compares EndpointConfigName is not known: here it does not, so that `smoke` has to.
    if reason := after.get("FailureReason"):
        raise ResourceFailure(f"Update of endpoint {after['EndpointName']} failed: {reason}")


class _Endpoint(Provider):
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


def _hosting(kind: str, sends: str, of: type[Provider] = Provider, settings: tuple[Setting, ...] = ()) -> Provider:
    """Physical ids are ARNs, in lower case; the API wants the name as it was given."""
    name = f"{kind}Name"
    return of(
        f"AWS::SageMaker::{kind}",
        sends=f"{name} {sends}",
        id=f"{kind}Arn",
        handle=name,
        name=name,
        lower_name=True,
        settings=settings,
        attributes={name: lambda resource, properties: properties.get(name) or resource.text("{name}", {})},
    )


PROVIDERS = (
    _hosting(
        "Model",
        "PrimaryContainer Containers ExecutionRoleArn VpcConfig EnableNetworkIsolation InferenceExecutionConfig",
    ),
    _hosting(
        "EndpointConfig",
        "ProductionVariants ShadowProductionVariants DataCaptureConfig KmsKeyId AsyncInferenceConfig ExplainerConfig "
        "ExecutionRoleArn VpcConfig EnableNetworkIsolation MetricsConfig",
    ),
    _hosting("Endpoint", "EndpointConfigName DeploymentConfig", _Endpoint, (Setting(frozenset(_UPDATED), _update),)),
)
