"""What the variants of an endpoint are to be: from its configuration and the models, or as they are now."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, Model, SageMakerModelBackend
from moto.sagemaker.utils import arn_formatter

from mistral7b.catalog.instances import UnknownInstanceTypeError, instance_type
from sagehost.hosting.model_checks import check_network


class DeploymentError(Exception):
    """A plan cannot be deployed. The message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class VariantPlan:
    """A production variant as it is to be, with what its model says about the container."""

    name: str
    weight: float
    instances: int
    instance_type: str
    least_outstanding: bool
    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    role: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()

    def scaled(self, weight: float | None, instances: int | None) -> "VariantPlan":
        """The same variant with another weight or number of instances; None keeps what is."""
        return replace(
            self,
            weight=self.weight if weight is None else weight,
            instances=self.instances if instances is None else instances,
        )

    @property
    def gpus(self) -> int | None:
        """GPUs of one instance, None for a type that is not in the catalogue."""
        try:
            return instance_type(self.instance_type).gpus
        except UnknownInstanceTypeError:
            return None


def _plan(variant: Mapping[str, Any], model: Model) -> VariantPlan:
    """The plan of a variant of an endpoint configuration and of its model."""
    container = model.primary_container or (model.containers or [{}])[0]
    vpc = model.vpc_config or {}
    routing = variant.get("RoutingConfig") or {}
    return VariantPlan(
        name=variant["VariantName"],
        weight=float(variant.get("InitialVariantWeight", 1.0)),
        instances=int(variant.get("InitialInstanceCount", 1)),
        instance_type=variant["InstanceType"],
        least_outstanding=routing.get("RoutingStrategy") == "LEAST_OUTSTANDING_REQUESTS",
        image=container.get("Image", ""),
        environment=dict(container.get("Environment") or {}),
        role=model.execution_role_arn,
        subnets=tuple(vpc.get("Subnets") or ()),
        security_groups=tuple(vpc.get("SecurityGroupIds") or ()),
    )


def configuration(backend: SageMakerModelBackend, name: str) -> FakeEndpointConfig:
    """The endpoint configuration of this name. Raises ValidationError."""
    config = backend.endpoint_configs.get(name)
    if config is None:
        arn = FakeEndpointConfig.arn_formatter(name, backend.account_id, backend.region_name)
        raise ValidationError(message=f'Could not find endpoint configuration "{arn}".')
    return config


def plans_of(backend: SageMakerModelBackend, config: FakeEndpointConfig) -> list[VariantPlan]:
    """The plans of the variants of an endpoint configuration, with their models. Raises ValidationError."""
    plans = []
    for variant in config.production_variants:
        model = backend._models.get(variant.get("ModelName", ""))
        if model is None:
            arn = arn_formatter("model", str(variant.get("ModelName")), backend.account_id, backend.region_name)
            raise ValidationError(message=f'Could not find model "{arn}".')
        check_network(backend, model.vpc_config or {})
        plans.append(_plan(variant, model))
    return plans


def retained(plans: Sequence[VariantPlan], current: Sequence[VariantPlan], excluded: set[str]) -> list[VariantPlan]:
    """The plans with the weights and numbers of instances that variants of the same name have now."""
    present = {variant.name: variant for variant in current}
    pairs = [(variant, present.get(variant.name, variant)) for variant in plans]
    weight, count = "DesiredWeight" not in excluded, "DesiredInstanceCount" not in excluded
    return [new.scaled(now.weight if weight else None, now.instances if count else None) for new, now in pairs]
