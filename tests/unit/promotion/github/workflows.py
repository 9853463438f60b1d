"""The workflow files that are shipped, as GitHub reads them."""

from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parents[4] / "docs" / "github-actions"
FILES = ("promote.yml", "promote-environment.yml")


def parsed(file: str) -> Any:
    """A workflow file; every value a text, as YAML 1.1 would read the key `on` as true."""
    return yaml.load((FOLDER / file).read_text(encoding="utf-8"), Loader=yaml.BaseLoader)


PROMOTE, ENVIRONMENT = (parsed(file) for file in FILES)
JOBS: dict[str, Any] = {"build": PROMOTE["jobs"]["build"], **ENVIRONMENT["jobs"]}
"""Every job with steps."""
SHELL: str = PROMOTE["defaults"]["run"]["shell"]


def steps(job: str) -> dict[str, Any]:
    """A job's steps by name."""
    return {step["name"]: step for step in JOBS[job]["steps"]}


def script(step: str) -> str:
    """The script of the first step of that name."""
    return next(str(named[step]["run"]) for named in map(steps, JOBS) if step in named)
