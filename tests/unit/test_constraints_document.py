"""docs/constraints.md: every rule names its source."""

import inspect
from collections.abc import Callable
from pathlib import Path

import pytest

from mistral7b.environment.rules import RULES
from mistral7b.promotion.rules import RULES as PIPELINE_RULES
from tools.constraints_document import constraints


@pytest.mark.parametrize(
    "rule", [rule for _, rule in (*RULES.rules, *PIPELINE_RULES.rules)], ids=lambda rule: rule.__name__
)
def test_a_rule_names_its_source(rule: Callable[..., object]) -> None:
    named = [name for name, _, _ in constraints(Path(inspect.getfile(rule)))]
    assert rule.__name__ in named, "end its docstring in `Source: …`"


def test_a_test_of_constraints_names_its_source() -> None:
    files = [file for file in Path(__file__).parent.glob("test_constraints_*.py") if file != Path(__file__)]
    assert {file.name for file in files if not list(constraints(file))} == set()


def test_a_constraint_is_a_paragraph_that_ends_in_its_source(tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text('def rule():\n    """What it is.\n\n    One | two\n    things. Source: A, B.\n    """\n')
    assert list(constraints(file)) == [("rule", "One \\| two things", "A, B")]
