"""What builds have to know of the server."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

from localaws.codebuild.workspace import Workspace


@dataclass(frozen=True)
class Settings:
    """Where the server is, and where it may keep builds."""

    url: str
    """The server's URL, with which the commands of builds call AWS."""
    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="localaws-codebuild-")))
    """The folder for builds; a temporary one unless given."""


_settings: Settings | None = None
_workspaces: dict[Path, Workspace] = {}
_LOCK = threading.Lock()


def use(settings: Settings) -> None:
    """Run builds with these settings from now on."""
    global _settings  # noqa: PLW0603 - a server has one address, which it knows once it listens
    _settings = settings


def current() -> Settings:
    """The settings.

    Raises:
        RuntimeError: nobody has said where the server is.
    """
    if _settings is None:
        raise RuntimeError("builds need a server, and this process is none")
    return _settings


def workspace(account: str) -> Workspace:
    """The folders of an account's builds."""
    root = current().folder.absolute() / account
    with _LOCK:
        return _workspaces.setdefault(root, Workspace(root))
