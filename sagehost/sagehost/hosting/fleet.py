"""The endpoints that serve: their variants and the instances of each, found by account, region and name.

The control plane changes the fleet in threads, the data plane reads it on the event loop: an endpoint's entry is
replaced as a whole.
"""

import math
import random
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING

from sagehost.containers import Container, Response

if TYPE_CHECKING:
    from sagehost.hosting.capture import Capture


@dataclass(eq=False)
class Instance:
    """One instance of a variant, with the container on it, and its network interface where the model is in a VPC."""

    container: Container
    interface: str | None = None
    instance_id: str = ""
    in_flight: int = 0
    """Requests whose answer is not complete."""

    @asynccontextmanager
    async def invoke(self, headers: Mapping[str, str], body: bytes) -> AsyncGenerator[Response, None]:
        """The container's answer. The end of the block closes what is left of the body."""
        content: bytes | AsyncGenerator[bytes, None] = b""
        self.in_flight += 1
        try:
            status, answered, content = await self.container.invoke(headers, body)
            yield status, answered, content
        finally:
            self.in_flight -= 1
            if not isinstance(content, bytes):
                await content.aclose()


@dataclass(frozen=True)
class RunningVariant:
    """A production variant in service. `weight` is its share of the traffic, relative to the others."""

    name: str
    weight: float
    instances: tuple[Instance, ...]
    least_outstanding: bool = True

    def choose_instance(self) -> Instance:
        """The instance for the next request, by the variant's RoutingStrategy."""
        if not self.least_outstanding:
            return random.choice(self.instances)
        least = min(instance.in_flight for instance in self.instances)
        return random.choice([instance for instance in self.instances if instance.in_flight == least])

    def part(self, share: Fraction) -> "RunningVariant":
        """The same variant with a share of its instances."""
        return replace(self, instances=self.instances[: math.ceil(len(self.instances) * share)])


@dataclass(frozen=True)
class RunningEndpoint:
    """An endpoint in service."""

    variants: tuple[RunningVariant, ...]
    capture: "Capture | None" = None
    new: "RunningEndpoint | None" = None  # during an update, what serves a share of the requests on new instances
    share_of_new: float = 0.0

    def choose_variant(self) -> RunningVariant:
        """A variant at random, by weight; any of them if none has weight."""
        weights = [variant.weight for variant in self.variants]
        return random.choices(self.variants, weights if any(weights) else None)[0]

    @property
    def instances(self) -> dict[str, tuple[Instance, ...]]:
        """The instances that serve each variant: during an update the old and the new ones."""
        found: dict[str, tuple[Instance, ...]] = {}
        for variant in (*self.variants, *(self.new.variants if self.new else ())):
            found[variant.name] = found.get(variant.name, ()) + variant.instances
        return found

    def route(self) -> "RunningEndpoint":
        """What answers the next request: during an update, the old instances or the new ones, at random by share."""
        return self.new if self.new and random.random() < self.share_of_new else self


@dataclass(frozen=True)
class EndpointKey:
    """What identifies an endpoint."""

    account: str
    region: str
    name: str


Fleet = dict[EndpointKey, RunningEndpoint]
"""Every endpoint that serves, in all accounts and regions."""
