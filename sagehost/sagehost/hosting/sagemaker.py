"""SageMaker's control plane for hosting: moto's records under operations of our own, as corrections of moto."""

from collections.abc import Callable, Mapping
from datetime import datetime
from operator import itemgetter
from typing import Any

from moto.core.responses import ActionResult
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
def _create_model(original: Original, self: SageMakerResponse) -> Any:
    """moto drops EnableNetworkIsolation."""
    created, given = original(self), self.params
    model = self.sagemaker_backend.describe_model(given["ModelName"])
    model.enable_network_isolation = bool(given.get("EnableNetworkIsolation"))
    return created


@correction.replaces(SageMakerResponse, "create_endpoint_config")
def _create_endpoint_config(original: Original, self: SageMakerResponse) -> Any:
    """moto drops members."""
    created, given = original(self), self.params
    config = self.sagemaker_backend.endpoint_configs[given["EndpointConfigName"]]
    config.production_variants = [{"InitialVariantWeight": 1.0, **one} for one in config.production_variants]
    vars(config).update({camelcase_to_underscores(member): given.get(member) for member in _DROPPED})
    # What is not said is so since June 2026 (SageMaker API, MetricsConfig).
    vars(config)["metrics_config"] = {"EnableDetailedObservability": True} | (given.get("MetricsConfig") or {})
    return created


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


def _given(original: Original, self: SageMakerResponse) -> ActionResult:
    """moto shows what was not given, as empty."""
    described: Mapping[str, Any] = original(self).result
    return ActionResult({member: value for member, value in described.items() if value not in (None, "", {}, [])})


def _by(operation: Callable[[SageMakerModelBackend, Mapping[str, Any]], str | None]) -> Callable[..., ActionResult]:
    """moto's endpoint is InService at once: it starts and stops nothing, and knows no updates."""

    def corrected(*arguments: SageMakerResponse) -> ActionResult:
        arn = operation(arguments[-1].sagemaker_backend, arguments[-1].params)
        return ActionResult({"EndpointArn": arn} if arn else {})

    return corrected


for _name in ("describe_model", "describe_endpoint_config"):
    correction.replaces(SageMakerResponse, _name)(_given)
for _name, _operation in {
    "create_endpoint": HOSTED.create,
    "update_endpoint_weights_and_capacities": HOSTED.update_weights_and_capacities,
    "delete_endpoint": HOSTED.delete,
}.items():
    correction.replaces(SageMakerResponse, _name)(_by(_operation))
correction.adds(SageMakerResponse, "update_endpoint")(_by(HOSTED.update))
