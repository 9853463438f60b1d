"""The clock of the embedded AWS is one for all tests of a process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from sagehost.clock import CLOCK


@pytest.fixture(autouse=True)
def _clock_is_the_machines_again() -> Iterator[None]:
    yield
    if abs(CLOCK.seconds() - time.time()) > 1:
        CLOCK.set(datetime.now(UTC))
