"""Connections to repositories: PENDING until somebody, by a handshake, says where the repository is on this laptop.

On AWS the handshake is a click in the console, with which the user lets AWS into the provider's repositories.
"""

from __future__ import annotations

import re
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = re.compile(r"[\w.-]+(?:/[\w.-]+)+")
"""FullRepositoryId of CodePipeline's source action: owner/name, and with subgroups for GitLab."""

_GIT_S = 10
"""How long git may take to answer about a folder."""


class ConnectionUnavailable(Exception):
    """There is no such connection, it is not AVAILABLE, or it does not reach the repository; the text says which."""


class HandshakeRefused(Exception):
    """The folder cannot stand for the repository; the text says why."""


@dataclass
class Connection:
    """A connection."""

    arn: str
    name: str
    provider: str
    tags: dict[str, str]
    repositories: dict[str, Path] = field(default_factory=dict)
    """owner/name -> the folder of its clone."""

    @property
    def account(self) -> str:
        """The account that it belongs to."""
        return self.arn.split(":")[4]

    @property
    def status(self) -> str:
        """Its ConnectionStatus."""
        return "AVAILABLE" if self.repositories else "PENDING"


_CONNECTIONS: dict[str, Connection] = {}
_LOCK = threading.Lock()


def add(connection: Connection) -> None:
    """Remember a connection."""
    with _LOCK:
        _CONNECTIONS[connection.arn] = connection


def remove(arn: str) -> None:
    """Forget a connection."""
    with _LOCK:
        _CONNECTIONS.pop(arn, None)


def find(arn: str) -> Connection | None:
    """The connection of this ARN."""
    with _LOCK:
        return _CONNECTIONS.get(arn)


def of(account: str, region: str) -> list[Connection]:
    """The connections of an account and region, oldest first."""
    with _LOCK:
        return [one for one in _CONNECTIONS.values() if one.arn.split(":")[3:5] == [region, account]]


def repository(arn: str, name: str) -> Path:
    """The folder of the clone that a connection reaches as `name`.

    Raises:
        ConnectionUnavailable: there is none.
    """
    connection = find(arn)
    if connection is None:
        raise ConnectionUnavailable(f"Connection {arn} does not exist")
    if connection.status != "AVAILABLE":
        raise ConnectionUnavailable(f"Connection {arn} is not available: its status is {connection.status}")
    folder = connection.repositories.get(name)
    if folder is None:
        reached = ", ".join(sorted(connection.repositories))
        raise ConnectionUnavailable(f"Connection {arn} does not reach repository {name} (it reaches {reached})")
    return folder


def handshake(connection: Connection, name: str, folder: Path) -> str:
    """Let a connection reach a repository, which is cloned in `folder`. Gives the commit that is checked out there.

    Raises:
        HandshakeRefused: `name` is no repository's, or `folder` is no git repository with a commit.
    """
    if not REPOSITORY.fullmatch(name):
        raise HandshakeRefused(f"repository {name!r} is not of the form owner/name")
    if not folder.is_absolute() or not folder.is_dir():
        raise HandshakeRefused(f"path {str(folder)!r} is not the absolute path of a folder")
    head = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    if head is None:
        raise HandshakeRefused(f"path {str(folder)!r} is not a git repository with a commit")
    with _LOCK:
        connection.repositories[name] = folder
    return head


def _git(folder: Path, *arguments: str) -> str | None:
    """What git answers about a folder, or None where it refuses."""
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=_GIT_S, check=False
        )
    except FileNotFoundError as error:
        raise HandshakeRefused("git is not installed on this machine") from error
    except subprocess.TimeoutExpired as error:
        raise HandshakeRefused(f"git did not answer about {str(folder)!r} within {_GIT_S} s") from error
    return asked.stdout.strip() if asked.returncode == 0 else None
