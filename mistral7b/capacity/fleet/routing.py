"""To which instance SageMaker sends a request."""

import random
from collections.abc import Callable

from mistral7b.capacity.hosting import Routing

Route = Callable[[list[int]], int]
"""Takes the requests in flight of each instance in service, at least one; returns the place of the chosen one."""


def router(routing: Routing, seed: int) -> Route:
    """The rule called `routing` (API_ProductionVariantRoutingConfig); equal seeds give equal choices."""
    if routing == "random":
        chance = random.Random(seed)
        return lambda in_flight: int(chance.random() * len(in_flight))
    return _LeastOutstanding()


class _LeastOutstanding:
    """An instance with the fewest requests in flight; equals take turns."""

    def __init__(self) -> None:
        self._after = 0

    def __call__(self, in_flight: list[int]) -> int:
        fewest = min(in_flight)
        try:
            chosen = in_flight.index(fewest, self._after)
        except ValueError:
            chosen = in_flight.index(fewest)
        self._after = chosen + 1
        return chosen
