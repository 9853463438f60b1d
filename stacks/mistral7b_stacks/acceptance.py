"""Tests of a user's environments, as a pytest plug-in: valid, every check passed, and the templates as accepted.

`pytest -p mistral7b_stacks.acceptance` gives the option `--accept` and the fixture `synth`. A user's test is

    from mistral7b_stacks.acceptance import *

After an edit, or a new release of this package, the test fails with the CloudFormation difference. `--accept` writes
the current templates to `accepted/` beside the test file.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

__all__ = ["test_environments_are_valid_and_pass_every_check", "test_templates_are_the_accepted_ones"]

Template = dict[str, Any]
_WIDTH = 100


@dataclass(frozen=True)
class Synth:
    """One run of the app, with all checks on."""

    status: int
    output: str
    templates: dict[str, Template]
    """By stack, such as `dev-endpoint`; none if the run failed."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option."""
    parser.addoption("--accept", action="store_true", help="Accept what your edits, or a new release, change.")


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Runs the project's app.py as the CDK CLI does: with the context of cdk.json, but without credentials."""
    project = next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "cdk.json").is_file())
    assembly = tmp_path_factory.mktemp("cdk.out")
    context = json.loads((project / "cdk.json").read_text(encoding="utf-8")).get("context", {})
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    run = subprocess.run(
        [sys.executable, "app.py"],
        cwd=project,
        env=environment | {"CDK_OUTDIR": str(assembly), "CDK_CONTEXT_JSON": json.dumps(context)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Synth(run.returncode, run.stdout + run.stderr, {} if run.returncode else dict(_templates(assembly)))


def test_environments_are_valid_and_pass_every_check(synth: Synth) -> None:
    """The files are valid, and no check of the templates has an unacknowledged finding."""
    if synth.status != 0:
        pytest.fail(f"python3 app.py ended with status {synth.status}\n{synth.output}", pytrace=False)


def test_templates_are_the_accepted_ones(synth: Synth, request: pytest.FixtureRequest) -> None:
    """What would be deployed is what was accepted; otherwise shows the difference."""
    if synth.status != 0:
        pytest.skip("there are no templates")
    folder = request.path.parent / "accepted"
    accepted = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(folder.glob("*.json"))}
    changed = differences(accepted, synth.templates)
    text = "\n".join(changed)
    if request.config.getoption("--accept"):
        accept(folder, synth.templates)
        capture: Any = request.config.pluginmanager.get_plugin("capturemanager")
        with capture.global_and_fixture_disabled():
            sys.stdout.write(f"\nAccepted:\n{text}\n" if changed else "\nNothing changed.\n")
    elif changed:
        python = os.path.relpath(sys.executable) if sys.executable.startswith(f"{Path.cwd()}/") else "python3"
        again = shlex.join([python, "-m", "pytest", *request.config.invocation_params.args, "--accept"])
        pytest.fail(f"The templates are not the accepted ones:\n\n{text}\n\nTo accept this: {again}", pytrace=False)


def _templates(assembly: Path) -> Iterator[tuple[str, Template]]:
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                file = manifest.parent / artifact["properties"]["templateFile"]
                yield artifact["displayName"].replace("/", "-"), json.loads(file.read_text(encoding="utf-8"))


def accept(folder: Path, templates: dict[str, Template]) -> None:
    """Makes these templates, and no others, the accepted ones."""
    folder.mkdir(exist_ok=True)
    for file in folder.glob("*.json"):
        if file.stem not in templates:
            file.unlink()
    for stack, template in templates.items():
        text = json.dumps(template, indent=1, sort_keys=True, ensure_ascii=False)
        (folder / f"{stack}.json").write_text(text + "\n", encoding="utf-8")


def differences(before: dict[str, Template], after: dict[str, Template]) -> list[str]:
    """What changed, stack by stack, one line for each value."""
    return [*_changes(before, after, lambda stack, _: f"stack {stack}", _changes_of_template)]


def _changes_of_template(before: Template, after: Template) -> Iterator[str]:
    old, new = dict(before), dict(after)
    yield from _changes(
        old.pop("Resources", {}),
        new.pop("Resources", {}),
        lambda name, resource: f"{resource['Type']} {name}",
        _changes_of_values,
    )
    yield from _changes_of_values(old, new)


def _changes(
    before: dict[str, Any],
    after: dict[str, Any],
    label: Callable[[str, Any], str],
    inner: Callable[[Any, Any], Iterator[str]],
) -> Iterator[str]:
    for name in sorted({**before, **after}):
        if name not in after:
            yield f"- {label(name, before[name])}"
        elif name not in before:
            yield f"+ {label(name, after[name])}"
        elif changed := list(inner(before[name], after[name])):
            yield f"~ {label(name, after[name])}"
            yield from (f"    {line}" for line in changed)


def _changes_of_values(before: Any, after: Any, path: str = "") -> Iterator[str]:
    if before == after:
        return
    if isinstance(before, dict) and isinstance(after, dict):
        for key in sorted({**before, **after}):
            yield from _changes_of_values(before.get(key), after.get(key), f"{path}.{key}" if path else key)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for index, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from _changes_of_values(one, other, f"{path}.{index}")
    else:
        path = path.removeprefix("Properties.")
        old, new = ("(none)" if one is None else json.dumps(one, ensure_ascii=False) for one in (before, after))
        both = f"{path}: {old} -> {new}"
        yield from [both] if len(both) <= _WIDTH else [f"{path}:", f"    - {old}", f"    + {new}"]
