"""Environments whose every field is at the ends of its range: their templates are within every limit of AWS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, reject, settings

from mistral7b.environment import Environment, EnvironmentFileError, load_environment
from tests.unit.constraints import extremes
from tests.unit.environment.mutations import sites
from tests.unit.environment.synthesis import refusals

DRAWN = 60
EXAMPLES = 20  # the templates of one take 0.3 s, most of it for 50 callers


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, Any], Environment]]:
    """Environment files at their extremes, without those that a rule across fields refuses; first what adds a field."""
    folder, accepted = tmp_path_factory.mktemp("drawn"), list[tuple[dict[str, Any], Environment]]()

    @settings(
        max_examples=DRAWN,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(document=extremes.documents())
    def draw(document: dict[str, Any]) -> None:
        (folder / "dev.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
        try:
            environment = load_environment(folder, "dev")
        except EnvironmentFileError:
            reject()
        accepted.append((document, environment))

    draw()
    adding, seen = list[tuple[dict[str, Any], Environment]](), set[str]()
    for one in accepted:
        if not seen.issuperset(_fields(one[0], "")):
            adding.append(one)
            seen.update(_fields(one[0], ""))
    chosen = [*adding, *(one for one in accepted if not any(one is other for other in adding))][:EXAMPLES]
    assert len(chosen) == EXAMPLES
    return chosen


def test_environments_at_their_extremes_are_within_every_limit(
    drawn: list[tuple[dict[str, Any], Environment]], tmp_path: Path
) -> None:
    """Pauses of 0 to 3,600 seconds. Source: Application Auto Scaling API, Cooldown.

    A workload is within what the performance model covers: tokens of TGI's limits, rates, latencies within the 60 s,
    a distribution that exists. Source: this project.
    """
    environments = [(environment, yaml.safe_dump(document)) for document, environment in drawn]
    assert refusals(environments, tmp_path / "cdk.out") == {}
    assert len(list((tmp_path / "cdk.out").rglob("*.template.json"))) >= len(environments)


def test_every_field_is_drawn(drawn: list[tuple[dict[str, Any], Environment]]) -> None:
    """Every field is drawn at its extremes when templates are searched. Source: this project."""
    given_fields = {field for document, _ in drawn for field in _fields(document, "")}
    # A workload is for the planner alone: no template has it.
    missing = {".".join(site.path) for site in sites() if site.path[0] != "workload"} - given_fields
    assert missing == set(), "let tests/unit/constraints/extremes.py draw these fields at their extremes"


def _fields(value: dict[str, Any], prefix: str) -> Iterator[str]:
    for name, inner in value.items():
        yield f"{prefix}{name}"
        for section in inner if isinstance(inner, list) else [inner]:
            if isinstance(section, dict):
                yield from _fields(section, f"{prefix}{name}.")
