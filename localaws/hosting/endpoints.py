"""The life of an endpoint: Creating, InService, Updating, Failed, and what each of SageMaker's operations does to it.

moto keeps the records that describe and list operations read. Creating and updating take some seconds, after which the
containers are started in a timer's thread. An update whose containers do not start leaves the old ones in service, with
a FailureReason, as SageMaker's deployment guardrails do.
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moto.core.utils import utcnow
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.utils import arn_formatter

from localaws.hosting.deployment import DeploymentError, Launcher, VariantPlan, plan
from localaws.hosting.fleet import EndpointKey, Fleet, RunningVariant
from localaws.moto_app import STATE
from mistral7b.tgi import tokenizer

_log = logging.getLogger(__name__)


@dataclass
class _Record:
    """An endpoint as moto keeps it, and what of it runs."""

    endpoint: FakeEndpoint
    key: EndpointKey
    plans: list[VariantPlan]
    running: tuple[RunningVariant, ...] = ()


class Endpoints:
    """SageMaker's operations on endpoints, over one fleet."""

    def __init__(self, fleet: Fleet, launcher: Launcher, seconds: float) -> None:
        self._fleet = fleet
        self._launcher = launcher
        self._seconds = seconds
        self._records: dict[EndpointKey, _Record] = {}

    def create(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> str:
        """CreateEndpoint; returns the ARN."""
        name: str = parameters["EndpointName"]
        with STATE:
            if name in backend.endpoints:
                arn = backend.endpoints[name].arn
                raise ValidationError(message=f'Cannot create already existing endpoint "{arn}".')
            config = _config(backend, parameters["EndpointConfigName"])
            plans = _plans(backend, config)
            endpoint = backend.create_endpoint(name, config.endpoint_config_name, parameters.get("Tags") or [])
            record = _Record(endpoint, _key(backend, name), plans)
            _describe(
                endpoint,
                data_capture_config=config.data_capture_config or None,
                last_deployment_config=parameters.get("DeploymentConfig"),
            )
            _begin(record, "Creating", plans)
            self._records[record.key] = record
            self._later(backend, record, "Failed", lambda: self._created(record))
        return str(endpoint.arn)

    def update(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> str:
        """UpdateEndpoint; returns the ARN."""
        with STATE:
            record = self._idle(backend, parameters["EndpointName"])
            if record.endpoint.endpoint_status == "Failed":
                raise ValidationError(
                    message=f'Cannot update failed endpoint "{record.endpoint.arn}": it can only be deleted.'
                )
            config = _config(backend, parameters["EndpointConfigName"])
            plans = _plans(backend, config)
            if parameters.get("RetainAllVariantProperties"):
                excluded = parameters.get("ExcludeRetainedVariantProperties") or []
                plans = _retained(plans, record.plans, {item["VariantPropertyType"] for item in excluded})
            if not parameters.get("RetainDeploymentConfig"):
                _describe(record.endpoint, last_deployment_config=parameters.get("DeploymentConfig"))
            _begin(record, "Updating", plans)
            self._later(backend, record, "InService", lambda: self._updated(record, plans, config))
        return str(record.endpoint.arn)

    def update_weights_and_capacities(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> str:
        """UpdateEndpointWeightsAndCapacities; returns the ARN."""
        with STATE:
            record = self._idle(backend, parameters["EndpointName"])
            desired = {item["VariantName"]: item for item in parameters["DesiredWeightsAndCapacities"]}
            unknown = desired.keys() - {variant.name for variant in record.plans}
            if unknown:
                raise ValidationError(
                    message=f'The variant name(s) "{", ".join(sorted(unknown))}" is/are not present within endpoint '
                    f'configuration "{record.endpoint.endpoint_config_name}".'
                )
            plans = [
                variant.scaled(
                    desired.get(variant.name, {}).get("DesiredWeight"),
                    desired.get(variant.name, {}).get("DesiredInstanceCount"),
                )
                for variant in record.plans
            ]
            if any(variant.instances < 1 for variant in plans):
                raise ValidationError(
                    message="DesiredInstanceCount of a variant without inference components must be 1 or more."
                )
            _begin(record, "Updating", plans)
            self._later(backend, record, "InService", lambda: self._scaled(record, plans))
        return str(record.endpoint.arn)

    def delete(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> None:
        """DeleteEndpoint."""
        with STATE:
            record = self._idle(backend, parameters["EndpointName"])
            self._fleet.remove(record.key)
            del self._records[record.key]
            del backend.endpoints[record.key.name]

    def _idle(self, backend: SageMakerModelBackend, name: str) -> _Record:
        """The record of an endpoint that nothing is being done to."""
        key = _key(backend, name)
        record = self._records.get(key)
        if record is None or backend.endpoints.get(name) is not record.endpoint:
            arn = FakeEndpoint.arn_formatter(name, key.account, key.region)
            raise ValidationError(message=f'Could not find endpoint "{arn}".')
        if record.endpoint.endpoint_status in ("Creating", "Updating"):
            raise ValidationError(message=f'Cannot update in-progress endpoint "{record.endpoint.arn}".')
        return record

    def _later(self, backend: SageMakerModelBackend, record: _Record, failed: str, work: Callable[[], None]) -> None:
        """Do the work after `endpoint_seconds`; the endpoint is InService then, or `failed` with a reason."""

        def run() -> None:
            tokenizer.load()  # takes a second the first time: here it keeps no request waiting
            with STATE:
                if backend.endpoints.get(record.key.name) is not record.endpoint:
                    return
                try:
                    work()
                except Exception as error:  # noqa: BLE001  # a thread has no caller: the endpoint would hang
                    _end(record, failed, _reason(error))
                    return
                self._fleet.put(record.key, record.running)
                _end(record, "InService")

        timer = threading.Timer(self._seconds, run)
        timer.daemon = True
        timer.start()

    def _created(self, record: _Record) -> None:
        record.running = self._launcher.launch(record.key, record.plans)

    def _updated(self, record: _Record, plans: list[VariantPlan], config: FakeEndpointConfig) -> None:
        record.running = self._launcher.launch(record.key, plans)
        record.plans = plans
        _describe(
            record.endpoint,
            endpoint_config_name=config.endpoint_config_name,
            data_capture_config=config.data_capture_config or None,
        )

    def _scaled(self, record: _Record, plans: list[VariantPlan]) -> None:
        record.running = self._launcher.scale(record.key, plans, record.running)
        record.plans = plans


def _reason(error: Exception) -> str:
    """The FailureReason; what is not the containers' fault goes to the server's log too, or the endpoint would hang."""
    if isinstance(error, DeploymentError):
        return str(error)
    _log.error("an endpoint could not be deployed", exc_info=error)
    return f"Request to service failed. If failure persists after retry, contact customer support. ({error})"


def _key(backend: SageMakerModelBackend, name: str) -> EndpointKey:
    return EndpointKey(backend.account_id, backend.region_name, name)


def _config(backend: SageMakerModelBackend, name: str) -> FakeEndpointConfig:
    config = backend.endpoint_configs.get(name)
    if config is None:
        arn = FakeEndpointConfig.arn_formatter(name, backend.account_id, backend.region_name)
        raise ValidationError(message=f'Could not find endpoint configuration "{arn}".')
    return config


def _plans(backend: SageMakerModelBackend, config: FakeEndpointConfig) -> list[VariantPlan]:
    plans = []
    for variant in config.production_variants:
        model = backend._models.get(variant.get("ModelName", ""))
        if model is None:
            arn = arn_formatter("model", str(variant.get("ModelName")), backend.account_id, backend.region_name)
            raise ValidationError(message=f'Could not find model "{arn}".')
        plans.append(plan(variant, model.primary_container or (model.containers or [{}])[0]))
    return plans


def _retained(plans: Sequence[VariantPlan], current: Sequence[VariantPlan], excluded: set[str]) -> list[VariantPlan]:
    """The plans with the weights and numbers of instances that variants of the same name have now."""
    present = {variant.name: variant for variant in current}
    retained = []
    for variant in plans:
        now = present.get(variant.name, variant)
        retained.append(
            variant.scaled(
                None if "DesiredWeight" in excluded else now.weight,
                None if "DesiredInstanceCount" in excluded else now.instances,
            )
        )
    return retained


def _describe(endpoint: FakeEndpoint, **attributes: object) -> None:
    """Set what DescribeEndpoint shows: moto shows every attribute that is not None."""
    vars(endpoint).update(attributes)


def _begin(record: _Record, status: str, plans: Sequence[VariantPlan]) -> None:
    _show(record, status, plans, None)


def _end(record: _Record, status: str, failure_reason: str | None = None) -> None:
    _show(record, status, record.plans, failure_reason)


def _show(record: _Record, status: str, plans: Sequence[VariantPlan], failure_reason: str | None) -> None:
    _describe(
        record.endpoint,
        failure_reason=failure_reason,
        last_modified_time=utcnow(),
        production_variants=_summaries(plans, record.running),
        endpoint_status=status,
    )


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
