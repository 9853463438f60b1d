"""SageMaker hosting: endpoints that answer with the containers of installed packages (`sagehost.containers`).

The control plane is moto's, corrected by `install`; the data plane is `routes`. It does not authorise callers, pull
images, load weights, time out or scale.
"""

from starlette.routing import Route

from sagehost import containers as plugged_in
from sagehost.containers import Containers
from sagehost.hosting import runtime, sagemaker
from sagehost.hosting.endpoints import Endpoints, Later, Records, after
from sagehost.hosting.fleet import Fleet
from sagehost.hosting.settings import HostingSettings

_FLEET: Fleet = {}
_RECORDS: Records = {}


def install(
    settings: HostingSettings | None = None, *, containers: Containers | None = None, later: Later | None = None
) -> None:
    """Let moto's SageMaker deploy to the fleet that `routes` serve.

    `containers` are those of installed packages unless given; `later` decides when endpoints are created or updated: by
    default after `endpoint_seconds`. Installed again, it changes these for endpoints from then on.

    Raises:
        ValueError: a variable of `HostingSettings` is no number, or two packages plug in the same container.
    """
    settings = HostingSettings.from_environment() if settings is None else settings
    containers = plugged_in.installed() if containers is None else containers
    later = later or after(settings.endpoint_seconds)
    sagemaker.install(Endpoints(_FLEET, _RECORDS, containers, later, after(settings.interface_seconds)))


def routes() -> list[Route]:
    """The operations of the SageMaker runtime API."""
    return runtime.routes(_FLEET)
