"""SageMaker's control plane for hosting: moto's records under operations of our own, as corrections of moto."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from sagehost.hosting.endpoints import HOSTED
from sagehost.moto_app import page
from sagehost.patches import correction

Original = Callable[..., Any]

_DROPPED = ("ExecutionRoleArn", "EnableNetworkIsolation", "VpcConfig", "ShadowProductionVariants", "ExplainerConfig")
"""Members of CreateEndpointConfig that moto drops, and would describe from attributes of their names."""


@correction.replaces(FakeEndpointConfig, "validate_instance_type")
def _validate_instance_type(*_: Any) -> None:
    """moto knows no ml.g5. `sagehost.validation` has held it against the list of the service's model."""


@correction.replaces(SageMakerModelBackend, "add_tags")
def _add_tags(_: Original, self: SageMakerModelBackend, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    """moto keeps the old value of a key beside the new."""
    resource: Any = self._get_resource_from_arn(arn)
    resource.tags = [*{tag["Key"]: tag for tag in [*resource.tags, *tags]}.values()]
    return list(resource.tags)


@correction.replaces(SageMakerResponse, "create_model")
def _create_model(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto drops EnableNetworkIsolation."""
    parameters = self.params
    model = self.sagemaker_backend.create_model(
        model_name=parameters["ModelName"],
        execution_role_arn=parameters.get("ExecutionRoleArn", ""),
        primary_container=parameters.get("PrimaryContainer"),
        vpc_config=parameters.get("VpcConfig"),
        containers=parameters.get("Containers"),
        tags=parameters.get("Tags"),
    )
    model.enable_network_isolation = bool(parameters.get("EnableNetworkIsolation"))
    return ActionResult(model.response_create)


@correction.replaces(SageMakerResponse, "create_endpoint_config")
def _create_endpoint_config(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto drops members."""
    parameters = self.params
    config = self.sagemaker_backend.create_endpoint_config(
        endpoint_config_name=parameters["EndpointConfigName"],
        production_variants=[{"InitialVariantWeight": 1.0, **variant} for variant in parameters["ProductionVariants"]],
        data_capture_config=parameters.get("DataCaptureConfig") or {},
        async_inference_config=parameters.get("AsyncInferenceConfig") or {},
        tags=parameters.get("Tags") or [],
        kms_key_id=parameters.get("KmsKeyId") or "",
    )
    vars(config).update({camelcase_to_underscores(member): parameters.get(member) for member in _DROPPED})
    # What is not said is so since June 2026 (SageMaker API, MetricsConfig).
    given = parameters.get("MetricsConfig") or {}
    vars(config)["metrics_config"] = {"EnableDetailedObservability": True} | given
    return ActionResult(config.response_create)


@correction.replaces(SageMakerResponse, "describe_model")
def _describe_model(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto shows what was not given, as empty."""
    return _given(self.sagemaker_backend.describe_model(self.params["ModelName"]).response_object)


@correction.replaces(SageMakerResponse, "list_models")
def _list_models(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto lists all of them, whatever is asked for."""
    asked = self.params
    before, after = asked.get("CreationTimeBefore", datetime.max), asked.get("CreationTimeAfter", datetime.min)
    models = [
        {"ModelName": model.model_name, "ModelArn": model.arn, "CreationTime": model.creation_time}
        for model in self.sagemaker_backend.list_models()
        if asked.get("NameContains", "") in model.model_name and after < model.creation_time < before
    ]
    by = "ModelName" if asked.get("SortBy") == "Name" else "CreationTime"
    models.sort(key=itemgetter(by), reverse=asked.get("SortOrder", "Descending") == "Descending")
    return page("Models", models, asked, "ValidationException")


@correction.replaces(SageMakerResponse, "describe_endpoint_config")
def _describe_endpoint_config(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto shows what was not given, as empty."""
    return _given(self.sagemaker_backend.describe_endpoint_config(self.params["EndpointConfigName"]))


def _given(description: Mapping[str, Any]) -> ActionResult:
    return ActionResult({member: value for member, value in description.items() if value not in (None, "", {}, [])})


def _arn(arn: str) -> ActionResult:
    return ActionResult({"EndpointArn": arn})


@correction.replaces(SageMakerResponse, "create_endpoint")
def _create_endpoint(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto's endpoint is InService at once."""
    return _arn(HOSTED.create(self.sagemaker_backend, self.params))


@correction.adds(SageMakerResponse)
def update_endpoint(self: SageMakerResponse) -> ActionResult:
    """UpdateEndpoint."""
    return _arn(HOSTED.update(self.sagemaker_backend, self.params))


@correction.replaces(SageMakerResponse, "update_endpoint_weights_and_capacities")
def _update_weights_and_capacities(_: Original, self: SageMakerResponse) -> ActionResult:
    """moto starts and stops nothing."""
    return _arn(HOSTED.update_weights_and_capacities(self.sagemaker_backend, self.params))


@correction.replaces(SageMakerResponse, "delete_endpoint")
def _delete_endpoint(_: Original, self: SageMakerResponse) -> EmptyResult:
    """moto stops nothing."""
    HOSTED.delete(self.sagemaker_backend, self.params)
    return EmptyResult()
