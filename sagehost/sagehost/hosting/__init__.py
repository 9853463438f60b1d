"""SageMaker hosting: endpoints that answer with the containers of installed packages (`sagehost.containers`).

The control plane is moto's, corrected by `sagemaker`; the data plane is `routes`. It does not authorise callers, pull
images, or load weights.
"""

from starlette.routing import Route

from sagehost import alarms, quotas, scaling, schedules  # noqa: F401 - importing these puts them on the clock
from sagehost import containers as plugged_in
from sagehost.clock import CLOCK, INSTANT
from sagehost.containers import Containers
from sagehost.hosting import metrics, runtime, sagemaker  # noqa: F401 - `metrics` is on the clock, `sagemaker` corrects moto
from sagehost.hosting.endpoints import HOSTED, Later, after
from sagehost.hosting.settings import HostingSettings


def install(
    settings: HostingSettings | None = None, *, containers: Containers | None = None, later: Later | None = None
) -> None:
    """Set how moto's SageMaker deploys to the fleet that `routes` serve.

    `containers` are those of installed packages unless given; `later` decides when endpoints are created or updated: by
    default after `endpoint_seconds`. Installed again, it changes these for endpoints from then on.

    Raises:
        ValueError: a variable of `HostingSettings` is no number, or two packages plug in the same container.
    """
    settings = HostingSettings.from_environment() if settings is None else settings
    HOSTED.containers = plugged_in.installed() if containers is None else containers
    HOSTED.later = later or after(settings.endpoint_seconds)
    HOSTED.removing = after(settings.interface_seconds)
    HOSTED.wait_factor = 0.01 if settings.speed == INSTANT else 1.0
    HOSTED.clock = None if settings.speed == INSTANT else CLOCK
    quotas.DEFAULTS["sagemaker"] = settings.endpoint_quota


def routes() -> list[Route]:
    """The operations of the SageMaker runtime API."""
    return runtime.routes(HOSTED.fleet, lambda: HOSTED.clock)
