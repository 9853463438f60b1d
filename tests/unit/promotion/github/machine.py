"""A runner, or a laptop: bash, jq, yq, and a GitHub CLI that remembers."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.promotion.github.workflows import SHELL


@dataclass(frozen=True)
class Ran:
    """What a script left."""

    status: int
    output: str
    """Standard output and standard error."""
    values: dict[str, str]
    """Outputs of the step."""


class Machine:
    """A folder where scripts run, and settings on GitHub."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        shutil.copy(Path(__file__).with_name("fake_gh.py"), self.bin / "fake_gh.py")
        (self.bin / "gh").write_text(f'#!/bin/sh\nexec "{sys.executable}" "{self.bin / "fake_gh.py"}" "$@"\n')
        (self.bin / "gh").chmod(0o755)

    def run(self, script: str, **variables: str) -> Ran:
        """Runs a script in the shell that the workflow names."""
        outputs, file = self.folder / "outputs", self.folder / "script.sh"
        outputs.write_text("")
        file.write_text(script)
        environment = {
            "PATH": os.pathsep.join([str(self.bin), os.environ["PATH"]]),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(self.folder / "summary.md"),
            "GITHUB_REF": "refs/heads/main",
            "GITHUB_REPOSITORY": "octo-org/mistral-7b",
            "MISTRAL7B_ENVIRONMENTS": "environments",
            **variables,
        }
        done = subprocess.run(
            SHELL.replace("{0}", str(file)).split(),
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        values = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        return Ran(done.returncode, done.stdout, values)

    @property
    def github(self) -> dict[str, Any]:
        """The environments on GitHub, by name."""
        file = self.bin / "github.json"
        return json.loads(file.read_text()) if file.exists() else {}

    @github.setter
    def github(self, environments: dict[str, Any]) -> None:
        (self.bin / "github.json").write_text(json.dumps(environments))
