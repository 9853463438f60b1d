"""An instance with round figures, and small traces."""

from collections.abc import Callable

import numpy as np
import pytest

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.fleet.trace import Trace
from mistral7b.capacity.hosting import Fleet
from mistral7b.capacity.parameters import PerformanceParameters

PARAMETERS = PerformanceParameters(
    decode_step=0.03,
    decode_per_request=0.0002,
    decode_per_kv_token=2e-7,
    decode_per_longest_token=1e-6,
    prefill=0.02,
    prefill_per_token=0.0003,
    prefill_per_pair=1e-8,
    round_trip=0.2,
    sampling=0.002,
)

# In service a minute after the decision, with JumpStart's usual limits.
FLEET = Fleet(PARAMETERS, RouterLimits(max_batch_total_tokens=48_000, max_batch_prefill_tokens=8192), startup_s=60.0)

Listed = Callable[..., Trace]


@pytest.fixture
def fleet() -> Fleet:
    """The fleet of these tests."""
    return FLEET


@pytest.fixture
def listed() -> Listed:
    """Makes a trace of these arrival times, all requests alike."""

    def make(times: list[float], prompt: int = 100, answer: int = 50, duration_s: float = 600.0) -> Trace:
        count = len(times)
        return Trace(np.array(times), np.full(count, prompt), np.full(count, answer), duration_s)

    return make
