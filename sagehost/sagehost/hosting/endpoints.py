"""The life of an endpoint: Creating, InService, Updating, Failed, and what each of SageMaker's operations does to it.

moto keeps the records that describe and list operations read. Creating and updating take a while, after which the
containers are started in another thread. An update whose containers do not start, or that an alarm of its
DeploymentConfig stops, leaves the old ones in service, with a FailureReason. Of an endpoint with the tag
`sagehost:silent-rollback` every update ends so, without a reason (seen on AWS: hashicorp/terraform-provider-aws#48997).
"""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from moto.applicationautoscaling.models import applicationautoscaling_backends
from moto.sagemaker.models import FakeEndpoint, FakeEndpointConfig, SageMakerModelBackend

from sagehost import quotas
from sagehost.clock import CLOCK, Clock, utcnow
from sagehost.containers import Containers
from sagehost.hosting import interfaces
from sagehost.hosting.capture import Capture, summary
from sagehost.hosting.deployment import DeploymentError, VariantPlan, launch, plans_of, retained
from sagehost.hosting.fleet import EndpointKey, Fleet, RunningEndpoint, RunningVariant
from sagehost.hosting.guardrails import Guardrails, Stage
from sagehost.moto_app import STATE

_log = logging.getLogger(__name__)

Work = Callable[[], None]
Later = Callable[[Work], None]
"""Does a piece of work later, in another thread."""


@dataclass
class EndpointRecord:
    """An endpoint: moto's object, the plans it was last deployed by, its DataCaptureConfig, what runs and captures."""

    endpoint: FakeEndpoint
    key: EndpointKey
    plans: list[VariantPlan]
    data_capture: Mapping[str, Any] | None = None
    running: tuple[RunningVariant, ...] = ()
    capture: Capture | None = None
    arriving: Sequence[VariantPlan] = ()
    """What an operation starts, beside what runs."""

    @property
    def status(self) -> str:
        """Its EndpointStatus."""
        return str(self.endpoint.endpoint_status)

    def describe(self, **attributes: object) -> None:
        """Set what DescribeEndpoint shows: moto shows every attribute that is not None."""
        vars(self.endpoint).update(attributes)

    def show(
        self, status: str, plans: Sequence[VariantPlan], failure_reason: str | None = None, pending: str = ""
    ) -> None:
        """Show that these plans are being deployed, or are; `pending` is a new configuration that is being deployed."""
        variants = [one | {"VariantStatus": [{"Status": "Creating"}]} for one in _summaries(plans, ())]
        summary = {"EndpointConfigName": pending, "ProductionVariants": variants, "StartTime": utcnow()}
        self.describe(
            failure_reason=failure_reason,
            last_modified_time=utcnow(),
            production_variants=_summaries(plans, self.running),
            endpoint_status=status,
            pending_deployment_summary=summary if pending else None,
        )

    def show_baking(self, plans: Sequence[VariantPlan], new: Sequence[RunningVariant], stage: Stage) -> None:
        """Show how far an update is: what still runs of the old plans, and the new instances that serve."""
        status = {"Status": "Baking", "StartTime": utcnow()}
        variants = [
            one | {"VariantStatus": [status | {"StatusMessage": stage.message(one["CurrentInstanceCount"])}]}
            for one in _summaries(plans, new)
        ]
        summary = vars(self.endpoint)["pending_deployment_summary"] | {"ProductionVariants": variants}
        self.describe(production_variants=_summaries(self.plans, self.running), pending_deployment_summary=summary)


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


def after(seconds: float) -> Later:
    """Work is done after so many seconds of the clock."""

    def later(work: Work) -> None:
        timer = threading.Timer(CLOCK.real(seconds), work)
        timer.daemon = True
        timer.start()

    return later


@dataclass
class Endpoints:
    """SageMaker's operations on the endpoints of `records`, which `fleet` serves.

    `later` decides when endpoints are created and updated, `removing` when instances' network interfaces are deleted.
    """

    containers: Containers
    later: Later
    removing: Later
    wait_factor: float = 1.0  # what a second of an update's waits takes
    clock: Clock | None = None  # of the containers; None: they answer at once
    fleet: Fleet = field(default_factory=dict)
    records: dict[EndpointKey, EndpointRecord] = field(default_factory=dict)

    def create(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> str:
        """CreateEndpoint; returns the ARN."""
        name: str = parameters["EndpointName"]
        with STATE:
            config: FakeEndpointConfig = backend.endpoint_configs[parameters["EndpointConfigName"]]
            plans = plans_of(backend, config)
            self._start(_key(backend, name), plans)
            endpoint = backend.create_endpoint(name, config.endpoint_config_name, parameters.get("Tags") or [])
            record = EndpointRecord(endpoint, _key(backend, name), plans)
            record.describe(last_deployment_config=parameters.get("DeploymentConfig"))
            record.show("Creating", plans, pending=config.endpoint_config_name)
            self.records[record.key] = record
            work = partial(self._deployed, record, plans, config.endpoint_config_name, config.data_capture_config)
            self._finish_later(record, "Failed", work)
        return str(endpoint.arn)

    def update(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> str:
        """UpdateEndpoint; returns the ARN."""
        with STATE:
            record = self.records[_key(backend, parameters["EndpointName"])]
            config: FakeEndpointConfig = backend.endpoint_configs[parameters["EndpointConfigName"]]
            plans = plans_of(backend, config)
            capture: Mapping[str, Any] | None = config.data_capture_config
            if parameters.get("RetainAllVariantProperties"):
                excluded = {
                    one["VariantPropertyType"] for one in parameters.get("ExcludeRetainedVariantProperties") or ()
                }
                plans, capture = retained(plans, record.plans, excluded), record.data_capture
            last = vars(record.endpoint)["last_deployment_config"]
            deployment = last if parameters.get("RetainDeploymentConfig") else parameters.get("DeploymentConfig")
            rails = Guardrails(deployment, max(plan.instances for plan in plans))
            self._start(record.key, rails.started(plans), record)
            record.describe(last_deployment_config=deployment)
            record.show("Updating", plans, pending=config.endpoint_config_name)
            silent = any(tag["Key"] == "sagehost:silent-rollback" for tag in record.endpoint.tags)
            work = partial(self._deployed, record, plans, config.endpoint_config_name, capture, rails=rails)
            self._finish_later(record, "InService", (lambda: None) if silent else work)
        return str(record.endpoint.arn)

    def update_weights_and_capacities(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> str:
        """UpdateEndpointWeightsAndCapacities; returns the ARN."""
        with STATE:
            record = self.records[_key(backend, parameters["EndpointName"])]
            desired = {item["VariantName"]: item for item in parameters["DesiredWeightsAndCapacities"]}
            pairs = [(variant, desired.get(variant.name, {})) for variant in record.plans]
            plans = [one.scaled(new.get("DesiredWeight"), new.get("DesiredInstanceCount")) for one, new in pairs]
            more = [
                one.scaled(None, max(one.instances - old.instances, 0))
                for one, old in zip(plans, record.plans, strict=True)
            ]
            self._start(record.key, more, record)
            record.show("Updating", plans)
            config = record.endpoint.endpoint_config_name
            work = partial(self._deployed, record, plans, config, record.data_capture, record.running)
            self._finish_later(record, "InService", work)
        return str(record.endpoint.arn)

    def delete(self, backend: SageMakerModelBackend, parameters: Mapping[str, Any]) -> None:
        """DeleteEndpoint."""
        with STATE:
            record = self.records[_key(backend, parameters["EndpointName"])]
            scaling, own = applicationautoscaling_backends[record.key.account][record.key.region], record.key.name
            found = [one for by_resource in scaling.targets.values() for one in by_resource.values()]
            for one in [target for target in found if target.resource_id.startswith(f"endpoint/{own}/variant/")]:
                scaling.deregister_scalable_target(one.service_namespace, one.resource_id, one.scalable_dimension)
            self.fleet.pop(record.key, None)
            record.running = ()
            self._release(record)
            del self.records[record.key]
            del backend.endpoints[record.key.name]

    def _start(self, key: EndpointKey, plans: Sequence[VariantPlan], record: EndpointRecord | None = None) -> None:
        """Count instances that are about to start, of an endpoint that runs beside those that it has.

        Raises SagemakerClientError where they exceed a quota.
        """
        present = [
            plan
            for one in self.records.values()
            if (one.key.account, one.key.region) == (key.account, key.region) and one.status != "Failed"
            for plan in (*one.plans, *one.arriving)
        ]
        for kind in {plan.instance_type for plan in plans}:
            used, added = (sum(one.instances for one in of if one.instance_type == kind) for of in (present, plans))
            quotas.check_endpoints(key.account, key.region, kind, used, added)
        if record is not None:
            record.arriving = plans

    def _finish_later(self, record: EndpointRecord, failed: str, work: Work) -> None:
        """Do the work later; the endpoint is InService then, or `failed` with a reason."""

        def finish() -> None:
            failure = None
            try:
                work()
            except DeploymentError as error:
                failure = str(error)
            except Exception as error:  # noqa: BLE001 - a thread has no caller: the endpoint would hang
                _log.exception("an endpoint could not be deployed")
                again = "Request to service failed. If failure persists after retry, contact customer support."
                failure = f"{again} ({error})"
            with STATE:
                if record.running:
                    self.fleet[record.key] = RunningEndpoint(record.running, record.capture)
                record.arriving = ()
                record.show(failed if failure else "InService", record.plans, failure)
                self._release(record)

        self.later(finish)

    def _release(self, record: EndpointRecord) -> None:
        """Have the interfaces removed of all instances that do not run."""
        kept = {instance.interface for variant in record.running for instance in variant.instances}
        for removal in interfaces.release(record.key, kept):
            self.removing(removal)

    def _deployed(
        self,
        record: EndpointRecord,
        plans: list[VariantPlan],
        config_name: str,
        data_capture: Mapping[str, Any] | None,
        running: Sequence[RunningVariant] = (),
        *,
        rails: Guardrails | None = None,
    ) -> None:
        roles, captures = {plan.name: plan.role for plan in plans}, (data_capture or {}).get("EnableCapture", True)
        capture = Capture(record.key, data_capture, roles) if data_capture and captures else None
        shifted = self._shifted(record, plans, capture, rails) if rails else None
        started = shifted or launch(self.containers, self.clock, record.key, plans, running)
        with STATE:
            record.running, record.plans = started, plans
            record.data_capture, record.capture = data_capture, capture
            record.describe(endpoint_config_name=config_name, data_capture_config=summary(data_capture))

    def _shifted(
        self, record: EndpointRecord, plans: list[VariantPlan], capture: Capture | None, rails: Guardrails
    ) -> tuple[RunningVariant, ...]:
        """The new instances, once they have all requests. If that fails, the old ones have them again."""
        old, started = record.running, tuple[RunningVariant, ...]()
        try:
            for stage in rails.stages():
                started = launch(self.containers, self.clock, record.key, rails.started(plans, stage), started)
                new = started if rails.is_rolling else tuple(one.part(stage.share) for one in started)
                with STATE:
                    serving, share = RunningEndpoint(new, capture), float(stage.share)
                    self.fleet[record.key] = RunningEndpoint(record.running, record.capture, serving, share)
                    record.show_baking(plans, new, stage)
                rails.watch(record.key, plans[0].role, stage.seconds * self.wait_factor)
                if rails.is_rolling:
                    record.running = tuple(one.part(1 - stage.share) for one in old)
        except Exception:
            record.running = launch(self.containers, self.clock, record.key, record.plans, record.running)
            raise
        return started


HOSTED = Endpoints({}, after(0), after(0))
"""All endpoints of this process."""


def _key(backend: SageMakerModelBackend, name: str) -> EndpointKey:
    return EndpointKey(backend.account_id, backend.region_name, name)
