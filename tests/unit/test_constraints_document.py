"""docs/constraints.md says what is so: all that it names exists, and nothing that keeps a constraint is missing."""

import itertools
import re
from collections.abc import Collection
from pathlib import Path

from mistral7b.environment.rules import RULES
from mistral7b.promotion.rules import RULES as PIPELINE_RULES
from mistral7b.tgi import rules as launcher
from tests.unit.constraints.document import (
    DOCUMENT,
    ROOMS,
    ROOT,
    bounded_fields,
    names,
    place_exists,
    rows,
    test_exists,
)

PLACES = {place for row in rows() for place in row.places()}
FIELDS = {field for row in rows() for field in row.fields()}
TESTS = {test for row in rows() for test in row.tests()}
WAY = re.compile(r"always|`[^`]+`")


def _nothing(found: Collection[object], to_do: str) -> None:
    assert not found, "\n  ".join([f"{to_do}:", *sorted(map(str, found))])


def test_constraints_are_numbered_from_1_within_each_section() -> None:
    by_section = itertools.groupby((re.fullmatch(r"([A-Z])(\d+)", row.number) for row in rows()), lambda m: m and m[1])
    numbers = {section: [int(m[2]) for m in matches if m] for section, matches in by_section}
    wrong = [section for section, found in numbers.items() if found != list(range(1, len(found) + 1))]
    assert set(numbers) == set("MTRNESKACP")
    _nothing(wrong, f"number the rows of these sections of {DOCUMENT.name} from 1 without a gap")


def test_every_constraint_says_its_source_how_it_is_kept_and_a_test() -> None:
    incomplete = [row.number for row in rows() if not (row.source and WAY.match(row.kept_by) and row.tests())]
    assert incomplete == [], (
        f"fill in the cells of these rows of {DOCUMENT.name}: a source, a place or `always`, a test"
    )


def test_every_test_that_is_named_exists() -> None:
    missing = [f"{row.number}: {test}" for row in rows() for test in row.tests() if not test_exists(test)]
    _nothing(missing, f"{DOCUMENT.name} names tests that are not there: correct the rows, or write the tests")


def test_every_place_that_is_named_exists() -> None:
    missing = [f"{row.number}: {place}" for row in rows() for place in row.places() if not place_exists(place)]
    _nothing(missing, f"{DOCUMENT.name} names places that are not in {', '.join(ROOMS)}: correct the rows")


def test_every_field_that_is_named_exists() -> None:
    known = bounded_fields().keys()
    missing = [f for f in FIELDS if f not in known and not (f.endswith(".*") and f.removesuffix(".*") in known)]
    _nothing(missing, f"{DOCUMENT.name} names fields that an environment file does not have: correct the rows")


def test_every_rule_across_fields_keeps_a_constraint() -> None:
    rules = {f"rules/{rule.__module__.rsplit('.', 1)[1]}.py::{rule.__name__}" for _, rule in RULES}
    rules |= {_of_the_pipeline(rule.__module__, rule.__name__) for _, rule in PIPELINE_RULES}
    _nothing(rules - PLACES, f"add a row to {DOCUMENT.name} for what these rules keep, with a test that shows it")


def _of_the_pipeline(module: str, name: str) -> str:
    return f"promotion/rules/{module.rsplit('.', 1)[1]}.py::{name}"


def test_every_rule_of_the_container_keeps_a_constraint() -> None:
    rules = {f"tgi/rules.py::{name}" for name, value in vars(launcher).items() if isinstance(value, launcher.Rule)}
    assert len(rules) == len(launcher.rules(None))
    _nothing(rules - PLACES, f"add a row to {DOCUMENT.name} for what these rules keep, with a test that shows it")


def test_every_field_that_the_schema_limits_keeps_a_constraint() -> None:
    limited = {field for field, is_limited in bounded_fields().items() if is_limited}
    assert len(limited) > 30
    missing = {f for f in limited if f not in FIELDS and f"{f.split('.')[0]}.*" not in FIELDS}
    _nothing(missing, f"add a row to {DOCUMENT.name} for the limits of these fields, or their names to a row")


def test_every_form_of_a_value_keeps_a_constraint() -> None:
    forms = {name for name in names(ROOT / "mistral7b" / "environment" / "limits.py") if name.islower()}
    public = {f"limits.py::{name}" for name in forms if not name.startswith("_")}
    promoted = {name for name in names(ROOT / "mistral7b" / "promotion" / "validators.py") if name.islower()}
    public |= {f"promotion/validators.py::{name}" for name in promoted if not name.startswith("_")}
    _nothing(public - PLACES, f"add a row to {DOCUMENT.name} for what these functions refuse")


def test_every_construct_that_checks_its_props_keeps_a_constraint() -> None:
    folder = ROOT / "constructs" / "sagemaker_tgi"
    checking = {file.name for file in folder.glob("*.py") if "PropsCheck(" in file.read_text(encoding="utf-8")}
    named = {place.split("::")[0] for place in PLACES if (folder / place.split("::")[0]).is_file()}
    _nothing(checking - named, f"add a row to {DOCUMENT.name} for what these constructs refuse")


def test_every_test_of_constraints_is_in_the_document() -> None:
    files = [file for file in Path(__file__).parent.glob("test_constraints_*.py") if file != Path(__file__)]
    there = {f"{file.name}::{name}" for file in files for name in names(file) if name.startswith("test_")}
    assert len(there) > 30
    listed = {test.split("[")[0] for test in TESTS}
    _nothing(there - listed, f"name these tests in the row of {DOCUMENT.name} that they show")
