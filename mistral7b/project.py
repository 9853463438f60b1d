"""What the project's cdk.json says."""

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DEFAULT_QUALIFIER = "hnb659fds"
"""Of the CDK's default bootstrap, whose names hold it (aws-cdk-lib, DefaultStackSynthesizer.DEFAULT_QUALIFIER)."""


@dataclass(frozen=True)
class Bootstrap:
    """How the accounts are bootstrapped."""

    qualifier: str = DEFAULT_QUALIFIER
    toolkit: str = ""
    """Name of the bootstrap's stack, where cdk.json names it."""

    def role(self, kind: str, account: str, region: str) -> str:
        """Name of a role: `deploy`, `file-publishing`, or `lookup`, which only reads."""
        return f"cdk-{self.qualifier}-{kind}-role-{account}-{region}"

    @property
    def options(self) -> str:
        """Of `cdk bootstrap`. A bootstrap in the default one's stack would take away the roles of that one's users."""
        own = self.qualifier != DEFAULT_QUALIFIER
        toolkit = self.toolkit or (f"CDKToolkit-{self.qualifier}" if own else "")
        stack = f" --toolkit-stack-name {toolkit}" if toolkit else ""
        return f" --qualifier {self.qualifier}{stack}" if own else stack


DEFAULT_BOOTSTRAP = Bootstrap()


def cdk_context(project: Path) -> dict[str, Any]:
    """The context of cdk.json; empty where there is none, or where the CDK itself says what is wrong with the file."""
    context = _cdk_json(project).get("context")
    return context if isinstance(context, dict) else {}


def _cdk_json(project: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        content = json.loads((project / "cdk.json").read_text(encoding="utf-8"))
        return content if isinstance(content, dict) else {}
    return {}


def bootstrap(project: Path) -> Bootstrap:
    """The bootstrap that cdk.json names, as the CDK CLI reads it."""
    qualifier = cdk_context(project).get("@aws-cdk/core:bootstrapQualifier") or DEFAULT_QUALIFIER
    return Bootstrap(str(qualifier), str(_cdk_json(project).get("toolkitStackName") or ""))


def environments_folder(project: Path) -> Path:
    """The folder of the environment files, below the project: `environments` in cdk.json's context names another."""
    return Path(str(cdk_context(project).get("environments") or "environments"))
