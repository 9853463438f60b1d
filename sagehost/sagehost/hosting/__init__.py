"""SageMaker hosting: endpoints whose containers behave as Text Generation Inference 1.1.0, with tokens but no weights.

The control plane is moto's, corrected by `install`; the data plane is `routes`. What it does not do: authorise callers,
pull images, load weights, time out, auto scale.
"""

from starlette.routing import Route

from sagehost.hosting import sagemaker
from sagehost.hosting.deployment import Launcher
from sagehost.hosting.endpoints import Endpoints, Later, after
from sagehost.hosting.fleet import Fleet
from sagehost.hosting.pace import Pace, at_once
from sagehost.hosting.records import Records
from sagehost.hosting.runtime import Runtime
from sagehost.hosting.settings import HostingSettings

_FLEET = Fleet()
_RECORDS: Records = {}


def install(settings: HostingSettings | None = None, *, pace: Pace = at_once, later: Later | None = None) -> None:
    """Let moto's SageMaker deploy to the fleet that `routes` serve.

    `pace` says when tokens come, `later` when endpoints are created or updated: by default after `endpoint_seconds`.
    Installed again, it changes these for containers and endpoints from then on.

    Raises:
        ValueError: a variable of `HostingSettings` is no number.
    """
    settings = HostingSettings.from_environment() if settings is None else settings
    later = later or after(settings.endpoint_seconds)
    sagemaker.install(Endpoints(_FLEET, _RECORDS, Launcher(pace), later, after(settings.interface_seconds)))


def routes() -> list[Route]:
    """The operations of the SageMaker runtime API."""
    runtime = Runtime(_FLEET)
    stream = runtime.invoke_endpoint_with_response_stream
    return [
        Route("/endpoints/{endpoint}/invocations", runtime.invoke_endpoint, methods=["POST"]),
        Route("/endpoints/{endpoint}/invocations-response-stream", stream, methods=["POST"]),
    ]
