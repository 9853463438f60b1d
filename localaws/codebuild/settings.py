"""What builds have to know of the server."""

from __future__ import annotations

import tempfile
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from localaws.codebuild.workspace import Workspace


@dataclass(frozen=True)
class Settings:
    """Where the server is, and where it may keep builds."""

    url: str
    """The server's URL, with which the commands of builds call AWS."""
    folder: Path | None = None
    """The folder for builds; a temporary one, made with the first of them, unless given."""

    @cached_property
    def root(self) -> Path:
        """The folder for builds, absolute."""
        return self.folder.absolute() if self.folder else Path(tempfile.mkdtemp(prefix="localaws-codebuild-"))


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
    with _LOCK:
        root = current().root / account
        return _workspaces.setdefault(root, Workspace(root))
