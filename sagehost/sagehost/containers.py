"""Containers that answer on endpoints: what a package implements to plug one in.

An entry point of the group `sagehost.containers` has the repository of the container's images as its name, without
registry and tag (`*` stands for any characters), and a `Start` as its object. README.md has an example.
"""

from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from typing import Protocol

from sagehost.clock import Clock

GROUP = "sagehost.containers"


@dataclass(frozen=True)
class Launch:
    """What SageMaker gives the container on one instance."""

    image: str
    environment: Mapping[str, str]
    instance_type: str
    model_data: str | None
    """S3 URI of the model data."""
    log: Callable[[str], None]
    """Writes a line to the instance's log stream in CloudWatch Logs. Not for the event loop: it may wait."""
    network_isolation: bool = False
    """Whether the model sets EnableNetworkIsolation: the container then has no network."""
    clock: Clock | None = None
    """By which its answers take their time; None: they take none."""


Response = tuple[int, Mapping[str, str], bytes | AsyncGenerator[bytes, None]]
"""Status, headers with names in lower case, and the body: whole, or the parts of a stream."""


class Container(Protocol):
    """A container that has started. It is dropped with its instance.

    It may have a method `utilization() -> Mapping[str, float]`: its instance's load in percent since the last call, by
    metric, such as GPUUtilization. It is called once a minute, in another thread.
    """

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answer `POST /invocations`; an exception is answered with status 500.

        `headers` has what SageMaker hands on: content-type, accept and x-amzn-sagemaker-custom-attributes. All requests
        run on one event loop: whatever takes long belongs in a thread.
        """
        ...


Start = Callable[[Launch], Container | None]
"""Starts a container, in a thread; None if it does not start."""

Containers = Mapping[str, Callable[[], Start]]
"""What loads the `Start` of a repository's images, by the name or pattern of the repository."""


class NoContainerError(LookupError):
    """No container is installed for an image."""


def installed() -> Containers:
    """The containers that installed packages plug in.

    Raises:
        ValueError: two packages plug in a container for the same repository.
    """
    found: dict[str, Callable[[], Start]] = {}
    for point in entry_points(group=GROUP):
        if point.name in found:
            raise ValueError(f"two packages have an entry point {point.name} in the group {GROUP}: uninstall one")
        found[point.name] = point.load
    return found


def choose(containers: Containers, image: str) -> Start:
    """The container for an image; of several patterns that match its repository, the longest.

    Raises:
        NoContainerError: no pattern matches.
    """
    name = repository(image)
    matching = [pattern for pattern in containers if fnmatchcase(name, pattern)]
    if not matching:
        raise NoContainerError(
            f"No installed package answers for images of repository {name} (entry point group {GROUP}; "
            f"installed: {', '.join(sorted(containers)) or 'none'})."
        )
    return containers[max(matching, key=len)]()


def repository(image: str) -> str:
    """The repository of an image, without registry, tag and digest."""
    registry, slash, rest = image.partition("@")[0].partition("/")
    path = rest if slash and ("." in registry or ":" in registry) else registry + slash + rest
    return path.partition(":")[0]
