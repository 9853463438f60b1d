"""Every rule of the table refuses an example, and accepts its neighbour."""

from __future__ import annotations

import importlib
import json
import pkgutil
from string import Template
from typing import Any

import pytest

from sagehost.accounts import access_key_id
from sagehost.aws_errors import Refused
from sagehost.validation import rules
from sagehost.validation.asked import Asked
from tests.unit.sagehost.validation import examples
from tests.unit.sagehost.validation.conftest import REGION
from tests.unit.sagehost.validation.examples import codepipeline

SERVICES = [module.name for module in pkgutil.iter_modules(examples.__path__)]
CASES = {
    f"{service.replace('_', '-')} {name}": (service.replace("_", "-"), *case)
    for service in SERVICES
    for name, case in importlib.import_module(f"{examples.__name__}.{service}").EXAMPLES.items()
}


def asked(world: dict[str, Any], service: str, operation: str, given: dict[str, Any]) -> Asked:
    """A call, with the names of the world in place of those after `$`. `_by` is the caller's access key."""
    escaped = {name: json.dumps(value)[1:-1] for name, value in world.items()}
    filled = json.loads(Template(json.dumps(given)).safe_substitute(escaped))
    key = filled.pop("_by", access_key_id(world["account"]))
    named = {name: value for name, value in filled.items() if value is not None}
    return Asked(
        service=service, operation=operation, given=named, account=world["account"], region=REGION, access_key=key
    )


def broken(call: Asked) -> rules.Rule | None:
    """The rule that refuses a call."""
    applying = [one for one in rules.table() if one.service == call.service and call.operation in one.operations]
    return next((rule for rule in applying if next(iter(rule.breaches(call)), None) is not None), None)


@pytest.mark.parametrize("name", CASES)
def test_call_is_refused_and_its_neighbour_accepted(world: dict[str, Any], name: str) -> None:
    service, operation, base, changes, kept = CASES[name]
    rule = broken(asked(world, service, operation, {**base, **changes}))
    assert rule, "the example is accepted"
    with pytest.raises((Refused, NotImplementedError)) as error:
        rules.check(asked(world, service, operation, {**base, **changes}))
    assert getattr(error.value, "code", "NotImplemented") == rule.code
    assert str(error.value)
    if kept is not None:
        neighbour = broken(asked(world, service, operation, {**base, **kept}))
        assert neighbour is None, neighbour and neighbour.message


@pytest.mark.parametrize("name", codepipeline.REFUSED)
def test_refusal_of_a_pipeline_names_what_is_wrong(world: dict[str, Any], name: str) -> None:
    request, message = codepipeline.REFUSED[name]
    with pytest.raises((Refused, NotImplementedError), match=message):
        rules.check(asked(world, "codepipeline", "CreatePipeline", request))


def test_every_rule_has_an_example(world: dict[str, Any]) -> None:
    refused = [broken(asked(world, service, name, {**base, **one})) for service, name, base, one, _ in CASES.values()]
    without = [f"{one.service}: {one.message}" for one in rules.table() if one not in refused]
    assert not without, without


@pytest.mark.parametrize("rule", rules.table(), ids=lambda rule: f"{rule.service}: {rule.message[:60]}")
def test_every_rule_has_a_source(rule: rules.Rule) -> None:
    assert len(rule.source) > 20
    assert rule.code.isidentifier() or "." in rule.code
