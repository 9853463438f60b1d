"""Parameters whose times can be worked out in one's head, and a scheduler that steps."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from mistral7b.capacity.admission import RouterLimits
from mistral7b.capacity.parameters import PerformanceParameters

NO_TIME = PerformanceParameters(
    decode_step=0,
    decode_per_request=0,
    decode_per_kv_token=0,
    decode_per_longest_token=0,
    prefill=0,
    prefill_per_token=0,
    prefill_per_pair=0,
    round_trip=0,
    sampling=0,
)
"""Nothing takes any time: a test says what does."""


@pytest.fixture
def simple() -> PerformanceParameters:
    """A prefill takes 10 s, a decode step 1 s, whatever is in it."""
    return replace(NO_TIME, decode_step=1, prefill=10)


@pytest.fixture
def limits() -> Callable[..., RouterLimits]:
    """Limits with TGI's defaults and room for 10,000 tokens, unless said otherwise."""

    def _limits(**changed: float) -> RouterLimits:
        return RouterLimits(**{"max_batch_total_tokens": 10_000, **changed})  # type: ignore[arg-type]

    return _limits
