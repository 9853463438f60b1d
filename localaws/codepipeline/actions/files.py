"""Files in the input artifacts of CloudFormation actions."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from localaws.codepipeline.execution import Artifact
from localaws.codepipeline.pipeline import ActionFailed


class Files:
    """The files in the input artifacts of an action, each fetched once."""

    def __init__(self, artifacts: Mapping[str, Artifact], fetch: Callable[[Artifact], Path]) -> None:
        self.artifacts = artifacts
        self._fetch = fetch
        self._fetched: dict[str, Path] = {}

    def read(self, artifact: str, path: str) -> bytes:
        """A file of an artifact. Raises ActionFailed."""
        if artifact not in self._fetched:
            self._fetched[artifact] = self._fetch(self._named(artifact))
        try:
            with zipfile.ZipFile(self._fetched[artifact]) as archive:
                return archive.read(path)
        except KeyError as error:
            raise _wrong(f"File [{path}] does not exist in artifact [{artifact}]") from error
        except zipfile.BadZipFile as error:
            raise _wrong(f"Artifact [{artifact}] is not a zip file") from error

    def json(self, artifact: str, path: str) -> dict[str, Any]:
        """A JSON object in a file of an artifact. Raises ActionFailed."""
        try:
            return _object(self.read(artifact, path))
        except ValueError as error:
            raise _wrong(f"File [{path}] in artifact [{artifact}] is not a JSON object: {error}") from error

    def _named(self, artifact: str) -> Artifact:
        if artifact not in self.artifacts:
            raise _wrong(f"{artifact} is none of the action's input artifacts")
        return self.artifacts[artifact]


def _object(text: str | bytes) -> dict[str, Any]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(f"it holds {type(found).__name__}")
    return found


def _wrong(message: str) -> ActionFailed:
    return ActionFailed("ConfigurationError", message)
