"""From an endpoint configuration and its models to running variants: plans, and the containers started for them."""

import logging
import time
import traceback
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from moto.logs import models as logs_models
from moto.sagemaker import models as sagemaker_models
from moto.sagemaker.models import FakeEndpointConfig, Model, SageMakerModelBackend

from sagehost.clock import CLOCK, Clock, utcnow
from sagehost.containers import Container, Containers, Launch, NoContainerError, choose
from sagehost.hosting import interfaces
from sagehost.hosting.fleet import EndpointKey, Instance, RunningVariant
from sagehost.moto_app import STATE
from sagehost.roles import AccessDenied

_log = logging.getLogger(__name__)


vars(logs_models)["utcnow"] = vars(sagemaker_models)["utcnow"] = utcnow


class DeploymentError(Exception):
    """A plan cannot be deployed. The message is the endpoint's FailureReason."""


@dataclass(frozen=True)
class VariantPlan:
    """The target state of a production variant, with what its model says about the container."""

    name: str
    weight: float
    instances: int
    instance_type: str
    least_outstanding: bool
    image: str
    environment: Mapping[str, str] = field(default_factory=dict)
    model_data: str | None = None
    role: str = ""
    subnets: tuple[str, ...] = ()
    security_groups: tuple[str, ...] = ()
    network_isolation: bool = False
    health_check_s: int = 480
    """How long a container may take until it answers its health check; by default 8 minutes (SageMaker guide, "How Your
    Container Should Respond to Health Check (Ping) Requests")."""

    def scaled(self, weight: float | None, instances: int | None) -> "VariantPlan":
        """The same variant with another weight or number of instances; None keeps the current one."""
        given: dict[str, Any] = {"weight": weight, "instances": instances}
        return replace(self, **{name: value for name, value in given.items() if value is not None})


def _plan(backend: SageMakerModelBackend, variant: Mapping[str, Any]) -> VariantPlan:
    model: Model = backend._models[variant["ModelName"]]
    container = model.primary_container or (model.containers or [{}])[0]
    vpc, routing = model.vpc_config or {}, variant.get("RoutingConfig") or {}
    source = (container.get("ModelDataSource") or {}).get("S3DataSource") or {}
    return VariantPlan(
        name=variant["VariantName"],
        weight=float(variant.get("InitialVariantWeight", 1.0)),
        instances=int(variant.get("InitialInstanceCount", 1)),
        instance_type=variant["InstanceType"],
        least_outstanding=routing.get("RoutingStrategy") == "LEAST_OUTSTANDING_REQUESTS",
        image=container.get("Image", ""),
        environment=dict(container.get("Environment") or {}),
        model_data=source.get("S3Uri") or container.get("ModelDataUrl"),
        role=model.execution_role_arn,
        subnets=tuple(vpc.get("Subnets") or ()),
        security_groups=tuple(vpc.get("SecurityGroupIds") or ()),
        network_isolation=bool(model.enable_network_isolation),
        health_check_s=int(variant.get("ContainerStartupHealthCheckTimeoutInSeconds", VariantPlan.health_check_s)),
    )


def plans_of(backend: SageMakerModelBackend, config: FakeEndpointConfig) -> list[VariantPlan]:
    """The plans of the variants of an endpoint configuration, with their models."""
    return [_plan(backend, variant) for variant in config.production_variants]


def retained(plans: Sequence[VariantPlan], current: Sequence[VariantPlan], excluded: set[str]) -> list[VariantPlan]:
    """The plans with the current weights and numbers of instances of variants of the same name."""
    present = {variant.name: variant for variant in current}
    pairs = [(variant, present.get(variant.name, variant)) for variant in plans]
    weight, count = "DesiredWeight" not in excluded, "DesiredInstanceCount" not in excluded
    return [new.scaled(now.weight if weight else None, now.instances if count else None) for new, now in pairs]


def launch(
    containers: Containers,
    clock: Clock | None,
    key: EndpointKey,
    plans: Sequence[VariantPlan],
    running: Sequence[RunningVariant] = (),
) -> tuple[RunningVariant, ...]:
    """The variants of an endpoint: running instances are kept, missing ones are started. Raises DeploymentError.

    Takes STATE only where it uses moto: a container may take long to start.
    """
    present = {variant.name: variant.instances for variant in running}
    variants = []
    for plan in plans:
        kept = present.get(plan.name, ())[: plan.instances]
        started = tuple(_instance(containers, clock, key, plan) for _ in range(plan.instances - len(kept)))
        variants.append(RunningVariant(plan.name, plan.weight, kept + started, plan.least_outstanding))
    return tuple(variants)


def _instance(containers: Containers, clock: Clock | None, key: EndpointKey, plan: VariantPlan) -> Instance:
    try:
        with STATE:
            interface = interfaces.attach(key, plan.role, plan.subnets, plan.security_groups)
    except AccessDenied as error:  # in IAM's words: SageMaker's own are not known
        raise DeploymentError(f"No network interface for production variant {plan.name}: {error.message}") from None
    instance_id = f"i-{uuid.uuid4().hex[:17]}"  # as EC2's
    return Instance(_container(containers, clock, key, plan, f"{plan.name}/{instance_id}"), interface, instance_id)


def _container(
    containers: Containers, clock: Clock | None, key: EndpointKey, plan: VariantPlan, stream: str
) -> Container:
    log = partial(_write_log, key, stream)
    primary = f"The primary container for production variant {plan.name}"
    try:
        start, isolated = choose(containers, plan.image), plan.network_isolation
        container = start(
            Launch(plan.image, plan.environment, plan.instance_type, plan.model_data, log, isolated, clock)
        )
    except NoContainerError as error:
        log(str(error))
        raise DeploymentError(
            f"{primary} cannot run in the embedded AWS: {plan.image or 'no image'}. {error}"
        ) from None
    except Exception:  # noqa: BLE001 - of the package that plugs it in: the endpoint fails, as if it had crashed
        _log.exception("the container for %s does not start", plan.image)
        for line in traceback.format_exc().splitlines():
            log(line)
        container = None
    if container is None:
        if clock:  # SageMaker tries until then; the log has told why
            time.sleep(clock.real(plan.health_check_s))
        raise DeploymentError(
            f"{primary} did not pass the ping health check. Please check CloudWatch logs for this endpoint."
        )
    return container


def _write_log(key: EndpointKey, stream: str, line: str) -> None:
    group = f"/aws/sagemaker/Endpoints/{key.name}"
    with STATE:
        logs = logs_models.logs_backends[key.account][key.region]
        logs.ensure_log_group(group)
        logs.ensure_log_stream(group, stream)
        logs.put_log_events(group, stream, [{"timestamp": int(CLOCK.seconds() * 1000), "message": line or " "}])
