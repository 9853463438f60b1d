"""The endpoints that serve: their variants and the instances of each, found by account, region and name.

moto's control plane changes the fleet in its threads, the data plane reads it on the event loop: what is shared is
replaced as a whole under a lock and not changed after that.
"""

import random
import threading
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sagehost.hosting.capture import Invocation
from sagehost.hosting.container import TgiContainer


@dataclass(frozen=True)
class Instance:
    """One instance of a variant, with the container on it, and its network interface where the model is in a VPC."""

    instance_id: str
    container: TgiContainer
    interface: str | None = None

    @staticmethod
    def new_id() -> str:
        """An id for an instance, as EC2 has them."""
        return f"i-{uuid.uuid4().hex[:17]}"


@dataclass(frozen=True)
class RunningVariant:
    """A production variant in service. `weight` is its share of the traffic, relative to the others."""

    name: str
    weight: float
    instances: tuple[Instance, ...]
    least_outstanding: bool

    def choose_instance(self) -> Instance:
        """The instance for the next request, as the variant's RoutingStrategy has it."""
        if not self.least_outstanding:
            return random.choice(self.instances)
        least = min(instance.container.in_flight for instance in self.instances)
        return random.choice([instance for instance in self.instances if instance.container.in_flight == least])


class Sink(Protocol):
    """Takes what an endpoint has answered, to capture it."""

    def offer(self, invocation: Invocation) -> None:
        """Capture an invocation, or leave it. Called on the event loop, so it must not wait."""
        ...


@dataclass(frozen=True)
class RunningEndpoint:
    """An endpoint in service."""

    variants: tuple[RunningVariant, ...]
    capture: Sink | None = None

    def choose_variant(self) -> RunningVariant:
        """A variant at random, by weight; any of them if none has weight."""
        weights = [variant.weight for variant in self.variants]
        return random.choices(self.variants, weights if any(weights) else None)[0]

    def variant(self, name: str) -> RunningVariant | None:
        """The variant of this name, if there is one."""
        return next((variant for variant in self.variants if variant.name == name), None)


@dataclass(frozen=True)
class EndpointKey:
    """What an endpoint is known by."""

    account: str
    region: str
    name: str


class Fleet:
    """Every endpoint that serves, in all accounts and regions."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._endpoints: dict[EndpointKey, RunningEndpoint] = {}

    def find(self, key: EndpointKey) -> RunningEndpoint | None:
        """The endpoint, if it serves."""
        with self._lock:
            return self._endpoints.get(key)

    def put(self, key: EndpointKey, variants: Sequence[RunningVariant], capture: Sink | None = None) -> None:
        """Let these variants serve the endpoint; requests at others finish where they are."""
        with self._lock:
            self._endpoints[key] = RunningEndpoint(tuple(variants), capture)

    def remove(self, key: EndpointKey) -> None:
        """Let the endpoint serve no more, if it did."""
        with self._lock:
            self._endpoints.pop(key, None)
