"""Mutated environment files: each gives templates that AWS takes, or a message that names the field.

6,750 files under `make test-all`; under `make test` 540, the same at each run.

Nothing else comes of one: no other exception, no more than `SECONDS` of processor time, no more than `BYTES` of memory.
"""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mistral7b.environment import load_environment
from tests.unit.environment.kinds import KINDS
from tests.unit.environment.mutations import Files
from tests.unit.environment.outcome import Outcomes, memory_limit
from tests.unit.environment.synthesis import refusals

ALL = settings.get_current_profile_name() == "all"
EXAMPLES = 750 if ALL else 60  # of each of the nine kinds
SYNTHESIZED = 12 if ALL else 4  # environments of each kind, evenly from those accepted: each takes 80 ms


@pytest.mark.parametrize("kind", KINDS)
def test_a_mutated_file_gives_a_valid_template_or_a_message_that_names_the_field(kind: str, tmp_path: Path) -> None:
    outcomes = Outcomes(tmp_path)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,  # Outcomes bounds each example by processor time, whatever else the machine does
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(files=KINDS[kind]())
    def attack(files: Files) -> None:
        outcomes.observe(files)

    with memory_limit():
        attack()
    assert outcomes.refused > EXAMPLES // 10
    assert outcomes.observed == EXAMPLES
    assert refusals(outcomes.sample(SYNTHESIZED), tmp_path / "cdk.out") == {}


def test_a_template_that_aws_would_refuse_is_found(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("region: us-east-1\n")
    good = load_environment(tmp_path, "dev")
    long = good.model_copy(update={"tags": {"team": "x" * 257}})
    found = refusals([(good, "good"), (long, "long")], tmp_path / "cdk.out")
    assert set(found) == {"long"}
    assert any("257" in problem for problem in found["long"])


def test_templates_are_checked_beside_an_environment_that_a_construct_refuses(tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text("region: us-east-1\n")
    good = load_environment(tmp_path, "dev")
    named = good.model_copy(update={"endpoint_name": "a_b"})
    long = good.model_copy(update={"tags": {"team": "x" * 257}})
    found = refusals([(good, "good"), (named, "named"), (long, "long")], tmp_path / "cdk.out")
    assert set(found) == {"long"}
    assert len(list((tmp_path / "cdk.out").rglob("*.template.json"))) == 2
