"""What the app makes of environments/ now."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.environments.templates import Template

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Synth:
    """One run of the app, with all checks on."""

    status: int
    said: str
    templates: dict[str, Template]
    """By stack, such as `dev-endpoint`."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the option that `make accept` gives."""
    parser.addoption("--accept", action="store_true", help="Accept what your edits of environments/ change.")


@pytest.fixture(scope="session")
def accepting(request: pytest.FixtureRequest) -> bool:
    """Whether the templates of now become the accepted ones."""
    return bool(request.config.getoption("--accept", default=False))


@pytest.fixture(scope="session")
def synth(tmp_path_factory: pytest.TempPathFactory) -> Synth:
    """Runs app.py as the CDK CLI does: with the context of cdk.json, but without credentials."""
    folder = tmp_path_factory.mktemp("cdk.out")
    context = json.loads((ROOT / "cdk.json").read_text(encoding="utf-8")).get("context", {})
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    run = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment | {"CDK_OUTDIR": str(folder), "CDK_CONTEXT_JSON": json.dumps(context)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return Synth(run.returncode, run.stdout + run.stderr, dict(_templates(folder)) if run.returncode == 0 else {})


def _templates(assembly: Path) -> Iterator[tuple[str, Template]]:
    for manifest in sorted(assembly.rglob("manifest.json")):
        for artifact in json.loads(manifest.read_text(encoding="utf-8"))["artifacts"].values():
            if artifact["type"] == "aws:cloudformation:stack":
                file = manifest.parent / artifact["properties"]["templateFile"]
                yield artifact["displayName"].replace("/", "-"), json.loads(file.read_text(encoding="utf-8"))
