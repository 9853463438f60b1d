"""SageMaker hosting."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers.base import Context, Facet, Props, Provider
from sagehost.cloudformation.providers.calls import Handle, answer, api, by, itself, last_part, names, tags
from sagehost.cloudformation.values import Json

_TAGS = tags("sagemaker", lambda _, arn: {"ResourceArn": arn}, put="add_tags", remove="delete_tags")

POLL_S = 0.1
"""Time between looks at an endpoint that is changing."""

PATIENCE_S = 600
"""After this an endpoint that is still changing has failed. The emulated lifecycle takes seconds."""


def _named(name: str) -> Handle:
    """Physical ids are ARNs, in lower case; the API wants the name as it was given."""
    return lambda arn, properties: {name: properties.get(name) or arn.rsplit("/", 1)[-1]}


def _attributes(name: str) -> dict[str, Any]:
    return {
        f"{name}Arn": itself,
        f"{name}Name": lambda context, arn, properties: properties.get(f"{name}Name") or last_part(context, arn, {}),
    }


MODEL = api(
    "sagemaker",
    create="create_model",
    delete="delete_model",
    sends="ModelName PrimaryContainer Containers ExecutionRoleArn VpcConfig EnableNetworkIsolation "
    "InferenceExecutionConfig",
    name="ModelName",
    lower_name=True,
    identify=answer("ModelArn"),
    handle=_named("ModelName"),
    facets=(_TAGS,),
    attributes=_attributes("Model"),
)

ENDPOINT_CONFIG = api(
    "sagemaker",
    create="create_endpoint_config",
    delete="delete_endpoint_config",
    sends="EndpointConfigName ProductionVariants ShadowProductionVariants DataCaptureConfig KmsKeyId "
    "AsyncInferenceConfig ExplainerConfig ExecutionRoleArn VpcConfig EnableNetworkIsolation MetricsConfig",
    name="EndpointConfigName",
    lower_name=True,
    identify=answer("EndpointConfigArn"),
    handle=_named("EndpointConfigName"),
    facets=(_TAGS,),
    attributes=_attributes("EndpointConfig"),
)


def _description(context: Context, arn: str) -> Json:
    return context.call("sagemaker", "describe_endpoint", {"EndpointName": arn.rsplit("/", 1)[-1]})


def _settled(context: Context, arn: str) -> Json:
    """The endpoint once nothing is going on with it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        endpoint = _description(context, arn)
        if endpoint["EndpointStatus"] in ("InService", "Failed", "OutOfService", "UpdateRollbackFailed"):
            return endpoint
        if time.monotonic() > deadline:
            raise ResourceFailure(f"Endpoint {endpoint['EndpointName']} is still {endpoint['EndpointStatus']}")
        time.sleep(POLL_S)


def _in_service(context: Context, arn: str) -> None:
    endpoint = _settled(context, arn)
    if endpoint["EndpointStatus"] != "InService":
        raise ResourceFailure(
            f"Endpoint {endpoint['EndpointName']} is {endpoint['EndpointStatus']}: "
            f"{endpoint.get('FailureReason', 'no reason given')}"
        )


def _update(context: Context, arn: str, new: Props, old: Props) -> None:
    if not old:
        return
    # Why the update of an endpoint that is still changing has to wait: SageMaker refuses it.
    before = _settled(context, arn)
    wanted = {"EndpointName": before["EndpointName"], **{key: new[key] for key in _UPDATED if key in new}}
    context.call("sagemaker", "update_endpoint", wanted)
    after = _settled(context, arn)
    # Whether CloudFormation compares EndpointConfigName is not known: here it does not, so that `smoke` has to.
    if reason := after.get("FailureReason"):
        raise ResourceFailure(f"Update of endpoint {after['EndpointName']} failed: {reason}")


def _delete(context: Context, arn: str, _: Props) -> None:
    endpoint = _settled(context, arn)
    context.call("sagemaker", "delete_endpoint", {"EndpointName": endpoint["EndpointName"]})


_UPDATED = names(
    "EndpointConfigName DeploymentConfig RetainAllVariantProperties ExcludeRetainedVariantProperties "
    "RetainDeploymentConfig"
)
_ENDPOINT = api(
    "sagemaker",
    create="create_endpoint",
    delete="delete_endpoint",
    sends="EndpointName EndpointConfigName DeploymentConfig",
    name="EndpointName",
    lower_name=True,
    identify=answer("EndpointArn"),
    handle=by("EndpointName"),
)
ENDPOINT = Provider(
    create=_ENDPOINT.create,
    delete=_delete,
    sends=_ENDPOINT.sends,
    facets=(Facet(_UPDATED, _update), _TAGS),
    ready=_in_service,
    name="EndpointName",
    attributes=_attributes("Endpoint"),
)

PROVIDERS: Mapping[str, Provider] = {
    "AWS::SageMaker::Endpoint": ENDPOINT,
    "AWS::SageMaker::EndpointConfig": ENDPOINT_CONFIG,
    "AWS::SageMaker::Model": MODEL,
}
