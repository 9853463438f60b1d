"""Workloads, and instances whose speed can be worked out in one's head."""

from collections.abc import Callable
from typing import Any

import pytest

from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.parameters import PerformanceParameters
from mistral7b.workload import Workload

MakeWorkload = Callable[..., Workload]

PARAMETERS = published_calibration().parameters


def make_workload(average: float = 0.6, peak: float = 2.5, **changed: Any) -> Workload:
    """Prompts of 300 and answers of 100 tokens, unless said otherwise."""
    values: dict[str, Any] = {
        "input_tokens": {"mean": 300, "p95": 900},
        "output_tokens": {"mean": 100, "p95": 250},
        "requests_per_second": {"average": average, "peak": peak},
        "objective": {"p95_ms_per_token": 90},
    }
    return Workload.model_validate(values | changed)


@pytest.fixture
def published() -> PerformanceParameters:
    """The parameters of the published benchmark."""
    return PARAMETERS
