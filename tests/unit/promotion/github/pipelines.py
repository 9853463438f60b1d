"""Pipeline files that workflows are made of."""

from pathlib import Path
from typing import Any

import yaml

from mistral7b.promotion import Promotion, load_promotion
from mistral7b.promotion.github_actions import workflow

ACCOUNTS = {"tools": "111111111111", "staging": "222222222222", "prod": "333333333333"}

BASE: dict[str, Any] = {
    "account": ACCOUNTS["tools"],
    "region": "us-east-1",
    "source": {"repository": "octo-org/mistral-7b"},
    "environments": [{"name": "dev"}, {"name": "staging", "gates": ["echo one", "echo two"]}, {"name": "prod"}],
    "github_actions": {},
}

VARIANTS: dict[str, dict[str, Any]] = {
    "three-environments": {},
    "one-environment": {"environments": [{"name": "dev"}]},
    "approved-staging": {"environments": [{"name": "staging", "approval": True}, {"name": "prod"}]},
    "other-commands": {
        "build": {"setup": "python3 tools/setup.py", "test": "make lint && pytest -q '--durations=3' # slow: quickly"},
        "environments": [{"name": "dev", "gates": ["echo 'uses: x' \"$HOME\" && echo \\\\ # done", "- dash: yes"]}],
    },
    "other-branch": {
        "source": {"repository": "o/r.x_y", "branch": "release/1.0+gpu"},
        "artifacts": {"retention_days": 5},
    },
    "new-repository": {"github_actions": {"subject_prefix": "repo:octo-org@123456/mistral-7b@456789"}},
}


def write(folder: Path, changes: dict[str, Any] | None = None, *, dev: str = "") -> Path:
    """Writes environment files, dev's with further lines, and the pipeline file with `changes`; the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dev.yaml").write_text(f"region: us-east-1\n{dev}")
    for name in ("staging", "prod"):
        (folder / f"{name}.yaml").write_text(f'region: eu-west-1\naccount: "{ACCOUNTS[name]}"\n')
    (folder / "pipeline.yaml").write_text(yaml.safe_dump({**BASE, **(changes or {})}))
    return folder


def load(folder: Path, changes: dict[str, Any] | None = None, *, dev: str = "") -> Promotion:
    """The pipeline of such files."""
    promotion = load_promotion(write(folder, changes, dev=dev))
    assert promotion is not None
    return promotion


def parsed(promotion: Promotion) -> Any:
    """The workflow as GitHub reads it."""
    return yaml.safe_load(workflow(promotion))


def scripts(document: Any) -> list[tuple[str, str]]:
    """Every script of a workflow, by job and step."""
    return [
        (f"{job}: {step['name']}", step["run"])
        for job, made in document["jobs"].items()
        for step in made["steps"]
        if "run" in step
    ]
