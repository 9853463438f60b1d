"""SageMaker's control plane for hosting: moto's records under operations of our own. `PATCHES` names every target.

Each operation first checks its parameters against the service's model, as the service does and botocore does not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

from sagehost.hosting.constraints import violations
from sagehost.hosting.endpoints import Endpoints
from sagehost.hosting.model_checks import check_endpoint_config, check_model

Action = Callable[[SageMakerResponse], ActionResult]

LARGEST_PAGE = 100
"""MaxResults of ListModels, at most and unless given."""
EARLIEST, LATEST = datetime.min, datetime.max

_DROPPED = ("ExecutionRoleArn", "EnableNetworkIsolation", "VpcConfig", "ShadowProductionVariants", "ExplainerConfig")
"""Members of CreateEndpointConfig that moto drops, and would describe from attributes of their names."""


@dataclass(frozen=True)
class Patch:
    """A method of moto that is replaced because it `why`; `original` is None for one that moto lacks."""

    owner: type
    method: str
    why: str
    original: Callable[..., Any] | None


def _patch(owner: type, method: str, why: str) -> Patch:
    return Patch(owner, method, why, getattr(owner, method, None))


PATCHES = (
    _patch(FakeEndpointConfig, "validate_instance_type", "knows no ml.g5"),
    _patch(SageMakerModelBackend, "add_tags", "keeps the old value of a key beside the new"),
    _patch(SageMakerResponse, "create_model", "checks nothing, and drops EnableNetworkIsolation"),
    _patch(SageMakerResponse, "create_endpoint_config", "takes a name twice, and drops members"),
    _patch(SageMakerResponse, "describe_model", "shows what was not given, as empty"),
    _patch(SageMakerResponse, "list_models", "lists all of them, whatever is asked for"),
    _patch(SageMakerResponse, "describe_endpoint_config", "shows what was not given, as empty"),
    _patch(SageMakerResponse, "create_endpoint", "takes a name twice, and is InService at once"),
    _patch(SageMakerResponse, "update_endpoint", "is absent"),
    _patch(SageMakerResponse, "update_endpoint_weights_and_capacities", "starts and stops nothing"),
    _patch(SageMakerResponse, "delete_endpoint", "stops nothing, and deletes what is still being created"),
)


def install(endpoints: Endpoints) -> None:
    """Replace moto's operations by those on `endpoints`."""

    replacements: dict[str, Callable[..., Any]] = {
        # The operation has checked it already, against the list of the service's model.
        "validate_instance_type": lambda _self, _instance_type: None,
        "add_tags": _add_tags,
        "create_model": _create_model,
        "create_endpoint_config": _create_endpoint_config,
        "describe_model": _describe_model,
        "list_models": _list_models,
        "describe_endpoint_config": _describe_endpoint_config,
        "create_endpoint": _answer("CreateEndpoint", endpoints.create),
        "update_endpoint": _answer("UpdateEndpoint", endpoints.update),
        "update_endpoint_weights_and_capacities": _answer(
            "UpdateEndpointWeightsAndCapacities", endpoints.update_weights_and_capacities
        ),
        "delete_endpoint": _answer("DeleteEndpoint", endpoints.delete),
    }
    for patch in PATCHES:
        setattr(patch.owner, patch.method, replacements[patch.method])


def _answer(operation: str, work: Callable[[SageMakerModelBackend, Mapping[str, Any]], str | None]) -> Action:
    def answer(self: SageMakerResponse) -> ActionResult:
        arn = work(self.sagemaker_backend, _checked(self, operation))
        return ActionResult({"EndpointArn": arn}) if arn else EmptyResult()

    return answer


def _checked(response: SageMakerResponse, operation: str) -> Mapping[str, Any]:
    """The parameters of a request that keeps to the service's model. Raises ValidationError."""
    parameters: Mapping[str, Any] = response.params
    if message := violations("sagemaker", operation, parameters):
        raise ValidationError(message=message)
    return parameters


def _add_tags(self: SageMakerModelBackend, arn: str, tags: list[dict[str, str]]) -> list[dict[str, str]]:
    resource: Any = self._get_resource_from_arn(arn)
    resource.tags = [*{tag["Key"]: tag for tag in [*resource.tags, *tags]}.values()]
    return list(resource.tags)


def _create_model(self: SageMakerResponse) -> ActionResult:
    parameters = _checked(self, "CreateModel")
    check_model(self.sagemaker_backend, parameters)
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


def _create_endpoint_config(self: SageMakerResponse) -> ActionResult:
    parameters = _checked(self, "CreateEndpointConfig")
    check_endpoint_config(self.sagemaker_backend, parameters)
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


def _describe_model(self: SageMakerResponse) -> ActionResult:
    return _given(self.sagemaker_backend.describe_model(self.params["ModelName"]).response_object)


def _list_models(self: SageMakerResponse) -> ActionResult:
    asked = _checked(self, "ListModels")
    before, after = asked.get("CreationTimeBefore", LATEST), asked.get("CreationTimeAfter", EARLIEST)
    models = [
        model
        for model in self.sagemaker_backend.list_models()
        if asked.get("NameContains", "") in model.model_name and after < model.creation_time < before
    ]
    by_name = asked.get("SortBy") == "Name"
    models.sort(
        key=lambda model: model.model_name if by_name else model.creation_time,
        reverse=asked.get("SortOrder", "Descending") == "Descending",
    )
    start = int(asked.get("NextToken", 0))
    end = start + int(asked.get("MaxResults", LARGEST_PAGE))
    page = [
        {"ModelName": model.model_name, "ModelArn": model.arn, "CreationTime": model.creation_time}
        for model in models[start:end]
    ]
    return ActionResult({"Models": page} | ({"NextToken": str(end)} if end < len(models) else {}))


def _describe_endpoint_config(self: SageMakerResponse) -> ActionResult:
    return _given(self.sagemaker_backend.describe_endpoint_config(self.params["EndpointConfigName"]))


def _given(description: Mapping[str, Any]) -> ActionResult:
    return ActionResult({member: value for member, value in description.items() if value not in (None, "", {}, [])})
