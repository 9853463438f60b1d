"""Where the builds of an account run: one folder with a fixed path, emptied before each but for what is cached."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterable
from pathlib import Path

from localaws.codebuild import globs


class Workspace:
    """The folders of one account's builds, of which one runs at a time.

    A virtual environment knows its own path, so that one that is cached is of use to later builds in the same place.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.lock = threading.Lock()
        self.source = root / "src"
        """CODEBUILD_SRC_DIR."""
        self.commands = root / "bin"
        self.home = root / "home"
        self.scratch = root / "scratch"
        self._inputs = root / "inputs"

    def prepare(self, cached: Iterable[str], inputs: Iterable[str]) -> dict[str, Path]:
        """Empty the folders, but for files of the source's that fit the patterns `cached`.

        Returns:
            An empty folder for each of `inputs`.
        """
        for folder in (self.home, self.scratch, self._inputs):
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(parents=True)
        self.source.mkdir(parents=True, exist_ok=True)
        _empty(self.source, list(cached))
        folders = {name: self._inputs / name for name in inputs}
        for folder in folders.values():
            folder.mkdir()
        return folders

    def outputs(self, build: str) -> Path:
        """The folder for the artifacts of a build, which does not exist."""
        return self.root / "outputs" / build


def _empty(folder: Path, cached: list[str], prefix: str = "") -> bool:
    """Delete what fits no pattern. Whether anything is left."""
    whole = {globs.whole_folder(pattern) for pattern in cached}
    left = False
    for path in list(folder.iterdir()):
        name = f"{prefix}{path.name}"
        if path.is_dir() and not path.is_symlink():
            if name in whole or _empty(path, cached, f"{name}/"):
                left = True
            else:
                path.rmdir()
        elif any(globs.matches(name, pattern) for pattern in cached):
            left = True
        else:
            path.unlink()
    return left
