"""`make check` runs the unit tests that an edit concerns."""

from pathlib import Path

from tools.check import concerned_tests, module, names


def test_a_module_is_named_as_it_is_imported() -> None:
    assert module(Path("stacks/mistral7b_stacks/app.py")) == "mistral7b_stacks.app"
    assert module(Path("mistral7b/catalog/__init__.py")) == "mistral7b.catalog"


def test_a_module_that_its_package_offers_is_known_by_both_names() -> None:
    assert list(names(Path("constructs/sagemaker_tgi/model.py"))) == ["sagemaker_tgi.model", "sagemaker_tgi"]
    assert list(names(Path("mistral7b_cli/export.py"))) == ["mistral7b_cli.export"]


def test_the_concerned_tests_an_edit_are_those_that_import_it_or_were_edited() -> None:
    found = set(concerned_tests({"tools.check", "tests.unit.test_setup"}))
    assert found == {Path("tests/unit/test_check.py"), Path("tests/unit/test_setup.py")}
