"""`mistral7b models` and `--version`."""

import json
import sys
from collections.abc import Callable
from importlib import metadata

import pytest

from mistral7b import catalog
from mistral7b_cli import main, output

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs the command in this process: its status, output and errors."""

    def _say(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["mistral7b", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return (int(ended.value.code or 0), *capsys.readouterr())

    return _say


def found(say: Say, word: str) -> set[tuple[str, str]]:
    """Model and version of what `models WORD` finds."""
    return {(row["model"], row["version"]) for row in json.loads(say("models", word, "--json")[1])}


def test_models_shows_the_facts_of_announcement_and_model_card(say: Say) -> None:
    text = say("models")[1]
    for fact in ("Apache-2.0", "8,192 tokens", "English", "completes", "follows instructions"):
        assert fact in text
    assert "https://mistral.ai/news/announcing-mistral-7b/" in text


def test_models_says_what_newer_versions_run_on_and_why_they_are_not_listed(say: Say) -> None:
    text = " ".join(say("models")[1].split())
    assert "newer versions run on LMI containers (DJL Serving) and are not listed" in text


def test_models_finds_one_model_by_its_name(say: Say) -> None:
    assert {model for model, _ in found(say, "Instruct")} == {"instruct"}


def test_models_finds_one_version(say: Say) -> None:
    assert found(say, "2.0.0") == {("base", "2.0.0"), ("instruct", "2.0.0")}


@pytest.mark.parametrize(("word", "field"), [("me-central-1", "regions"), ("ml.g4dn.12xlarge", "instance_types")])
def test_models_finds_the_versions_of_a_region_or_instance_type(word: str, field: str, say: Say) -> None:
    rows = json.loads(say("models", "--json")[1])
    having = {(row["model"], row["version"]) for row in rows if word in row[field]}
    assert found(say, word) == having
    assert 0 < len(having) < len(rows)


def test_models_finds_part_of_a_word(say: Say) -> None:
    assert found(say, "g4dn") == found(say, "ml.g4dn.12xlarge")


def test_models_finds_a_word_of_the_card(say: Say) -> None:
    assert {model for model, _ in found(say, "chat")} == {"instruct"}


def test_models_says_how_many_versions_match(say: Say) -> None:
    instruct, every = catalog.model("instruct").versions, [v for model in catalog.models() for v in model.versions]
    assert say("models", "instruct")[1].startswith(f"{len(instruct)} of {len(every)} versions match instruct.")


def test_models_names_near_matches_if_nothing_matches(say: Say) -> None:
    status, out, err = say("models", "eu-west-9")
    assert (status, out) == (1, "")
    assert "no model or version matches 'eu-west-9'\nfix: did you mean eu-west-" in err


def test_models_cuts_no_word_at_80_columns(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = set(say("models")[1].split())
    monkeypatch.setattr(output.out, "width", 80)
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    lines = say("models")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert {word for line in lines for word in line.split()} == wide


def test_version_is_that_of_the_installed_distribution(say: Say) -> None:
    assert say("--version") == (0, f"mistral7b {metadata.version('mistral7b-sagemaker')}\n", "")


def test_version_of_a_copy_that_is_not_installed_is_an_error(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    status, _, err = say("--version")
    assert (status, "not installed" in err) == (1, True)
