"""From plans to running variants: starting the containers of an endpoint."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from moto.logs.models import logs_backends

from sagehost.hosting import interfaces
from sagehost.hosting.container import TgiContainer
from sagehost.hosting.fleet import EndpointKey, Instance, RunningVariant
from sagehost.hosting.pace import Pace, at_once
from sagehost.hosting.plans import DeploymentError, VariantPlan
from sagehost.hosting.startup import start

_IMAGE = "huggingface-pytorch-tgi-inference"


@dataclass(frozen=True)
class Launcher:
    """Starts containers; `pace` is theirs."""

    pace: Pace = at_once

    def launch(
        self, key: EndpointKey, plans: Sequence[VariantPlan], running: Sequence[RunningVariant] = ()
    ) -> tuple[RunningVariant, ...]:
        """The variants of an endpoint: instances that can stay do, others are started. Raises DeploymentError."""
        present = {variant.name: variant.instances for variant in running}
        return tuple(self._variant(key, variant, present.get(variant.name, ())) for variant in plans)

    def _variant(self, key: EndpointKey, variant: VariantPlan, present: tuple[Instance, ...]) -> RunningVariant:
        kept = present[: variant.instances]
        started = tuple(self._instance(key, variant) for _ in range(variant.instances - len(kept)))
        return RunningVariant(variant.name, variant.weight, kept + started, variant.least_outstanding)

    def _instance(self, key: EndpointKey, variant: VariantPlan) -> Instance:
        if _IMAGE not in variant.image:
            raise DeploymentError(
                f"The primary container for production variant {variant.name} cannot run in the embedded AWS, "
                f"which knows only images of {_IMAGE}: {variant.image or 'no image'}."
            )
        interface = interfaces.attach(key, variant)
        started = start(variant.environment, variant.gpus)
        instance_id = Instance.new_id()
        _write_log(key, f"{variant.name}/{instance_id}", started.log)
        if started.settings is None:
            raise DeploymentError(
                f"The primary container for production variant {variant.name} did not pass the ping health check. "
                "Please check CloudWatch logs for this endpoint."
            )
        return Instance(instance_id, TgiContainer(started.settings, self.pace), interface)


def _write_log(key: EndpointKey, stream: str, lines: Sequence[str]) -> None:
    logs = logs_backends[key.account][key.region]
    group = f"/aws/sagemaker/Endpoints/{key.name}"
    logs.ensure_log_group(group)
    logs.ensure_log_stream(group, stream)
    now = int(time.time() * 1000)
    logs.put_log_events(group, stream, [{"timestamp": now, "message": line} for line in lines])
