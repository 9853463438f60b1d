"""Every call that templates and commands make, with one argument changed to what the model forbids.

The calls are recorded: `python tools/record_calls.py`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sagehost.validation.mutations import mutations
from tests.unit.sagehost.validation.requests import refusal, serialized

CALLS: dict[str, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
for _service, _operation, _given in json.loads(Path(__file__).with_name("calls.json").read_text()):
    CALLS[_service].append((_operation, _given))


@pytest.fixture(autouse=True)
def _only_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules look for the resources that recorded calls name, which do not exist here."""
    monkeypatch.setattr("sagehost.validation.rules.check", lambda _: None)


@pytest.mark.parametrize("service", CALLS)
def test_recorded_calls_are_allowed(service: str) -> None:
    found = [(one, refusal(service, serialized(service, *one))) for one in CALLS[service]]
    assert [one for one in found if one[1]] == []


@pytest.mark.parametrize("service", CALLS)
def test_calls_that_the_model_forbids_are_refused(service: str) -> None:
    accepted = []
    for operation, given in CALLS[service]:
        for kind, request, body in mutations(service, operation, given):
            if refusal(service, request, body) is None:
                accepted.append((operation, kind, request["url"], body[:300]))
    assert accepted == []
