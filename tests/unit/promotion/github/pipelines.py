"""Pipeline files with `github_actions`."""

from pathlib import Path
from typing import Any

import yaml

from mistral7b.promotion import Promotion, load_promotion

ACCOUNTS = {"tools": "111111111111", "staging": "222222222222", "prod": "333333333333"}

BASE: dict[str, Any] = {
    "account": ACCOUNTS["tools"],
    "region": "us-east-1",
    "source": {"repository": "octo-org/mistral-7b"},
    "environments": [{"name": "dev"}, {"name": "staging", "gates": ["echo one", "echo two"]}, {"name": "prod"}],
    "github_actions": {},
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
