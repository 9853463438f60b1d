"""What the CDK prints of a comparison is read right, and what cannot be compared never counts as harmless."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from mistral7b.promotion.review import Review, ReviewError, review

# As aws-cdk 2.1148.1 prints it.
NOTHING = "\n✨  Number of stacks with differences: 0\n"
BROADENS = """
This deployment will make potentially sensitive changes according to your current security approval level.
Please confirm you intend to make the following modifications:

Stack \x1b[1mdev/endpoint (mistral-7b-dev-endpoint)\x1b[22m (aws://111111111111/us-east-1)
IAM Statement Changes
┌───┬──────────┐
│   │ Resource │
├───┼──────────┤
│ + │ *        │
└───┴──────────┘
(NOTE: There may be security-related changes not in this list. See https://github.com/aws/aws-cdk/issues/1299)



✨  Number of stacks with differences: 1

"""

Ask = Callable[..., Review]


@pytest.fixture
def assembly(tmp_path: Path) -> Path:
    """A cloud assembly with the stages dev and prod, and the pipeline's stack."""
    folder = tmp_path / "cloud assembly"
    folder.mkdir()
    stages = {
        f"assembly-{name}": {"type": "cdk:cloud-assembly", "properties": {"displayName": name}}
        for name in ("dev", "prod")
    }
    artifacts = {**stages, "pipeline": {"type": "aws:cloudformation:stack"}, "Tree": {"type": "cdk:tree"}}
    (folder / "manifest.json").write_text(json.dumps({"version": "1", "artifacts": artifacts}))
    return folder


@pytest.fixture
def ask(tmp_path: Path, assembly: Path) -> Ask:
    """Reviews dev by a CLI that prints so, ends so, and writes down how it was called."""

    def _ask(prints: str, status: int = 0, environment: str = "dev") -> Review:
        (tmp_path / "prints").write_text(prints, encoding="utf-8")
        cli = tmp_path / "cdk"
        cli.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$@\" > called\ncat prints >&2\nexit {status}\n")
        cli.chmod(0o755)
        return review(cli, assembly, environment, tmp_path)

    return _ask


def test_no_stack_with_differences_broadens_nothing(ask: Ask) -> None:
    assert ask(NOTHING) == Review("dev", 0, "")
    assert not ask(NOTHING).broadens


def test_a_stack_with_differences_broadens_and_its_tables_are_kept(ask: Ask) -> None:
    found = ask(BROADENS)
    assert found.broadens
    assert found.stacks == 1
    assert found.changes.startswith("Stack dev/endpoint (mistral-7b-dev-endpoint) (aws://111111111111/us-east-1)\nIAM")
    assert found.changes.endswith("issues/1299)")


def test_only_the_lookup_role_is_needed_and_only_the_environments_stacks_compared(
    ask: Ask, tmp_path: Path, assembly: Path
) -> None:
    ask(NOTHING)
    assert (tmp_path / "called").read_text().splitlines() == [
        "--app",
        str(assembly),
        "--no-color",
        "diff",
        "dev/*",
        "--security-only",
        "--method=template",
    ]


def test_the_pipelines_own_stack_is_compared_by_its_id(ask: Ask, tmp_path: Path) -> None:
    ask(NOTHING, environment="pipeline")
    assert (tmp_path / "called").read_text().splitlines()[3:5] == ["diff", "pipeline"]


def test_a_cli_that_fails_is_an_error_whatever_it_printed(ask: Ask) -> None:
    with pytest.raises(ReviewError, match="could not compare dev") as caught:
        ask(NOTHING, status=1)
    assert not caught.value.wrong_call


@pytest.mark.parametrize("prints", ["", "Number of stacks with differences: none", NOTHING + BROADENS])
def test_a_cli_that_does_not_say_how_many_is_an_error(prints: str, ask: Ask) -> None:
    with pytest.raises(ReviewError, match="has not said how many"):
        ask(prints)


@pytest.mark.parametrize("name", ["deb", "*", "dev/*", "", "Tree"])
def test_an_environment_that_the_assembly_does_not_hold_is_a_wrong_call(name: str, ask: Ask, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="There are dev, prod, pipeline") as caught:
        ask(NOTHING, environment=name)
    assert caught.value.wrong_call
    assert not (tmp_path / "called").exists()


@pytest.mark.parametrize("manifest", [None, "", "[]", "{}", '{"artifacts": []}', '{"artifacts": {"a": 1}}'])
def test_what_is_no_assembly_is_a_wrong_call(manifest: str | None, ask: Ask, assembly: Path) -> None:
    if manifest is None:
        (assembly / "manifest.json").unlink()
    else:
        (assembly / "manifest.json").write_text(manifest)
    with pytest.raises(ReviewError, match="no cloud assembly") as caught:
        ask(NOTHING)
    assert caught.value.wrong_call


def test_a_cli_that_is_not_there_is_a_wrong_call(assembly: Path, tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="cannot be run") as caught:
        review(tmp_path / "nowhere", assembly, "dev", tmp_path)
    assert caught.value.wrong_call
