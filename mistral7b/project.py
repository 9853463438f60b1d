"""What the project's cdk.json says."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

DEFAULT_QUALIFIER = "hnb659fds"
"""Of the CDK's default bootstrap, whose names hold it (aws-cdk-lib, DefaultStackSynthesizer.DEFAULT_QUALIFIER)."""


def cdk_context(project: Path) -> dict[str, Any]:
    """The context of cdk.json; empty where there is none, or where the CDK itself says what is wrong with the file."""
    with suppress(OSError, ValueError):
        context = json.loads((project / "cdk.json").read_text(encoding="utf-8")).get("context")
        return context if isinstance(context, dict) else {}
    return {}


def qualifier(project: Path) -> str:
    """The bootstrap's qualifier."""
    return str(cdk_context(project).get("@aws-cdk/core:bootstrapQualifier") or DEFAULT_QUALIFIER)


def environments_folder(project: Path) -> Path:
    """The folder of the environment files, below the project: `environments` in cdk.json's context names another."""
    return Path(str(cdk_context(project).get("environments") or "environments"))
