"""The artifacts of a build."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from localaws.codebuild import archives, globs
from localaws.codebuild.buildspec import Artifact, Buildspec
from localaws.codebuild.commands import Failed


def collect(spec: Buildspec, source: Path, folder: Path) -> dict[str, Path]:
    """Pack what a buildspec names.

    Args:
        spec: the buildspec.
        source: the folder of the primary source.
        folder: where the archives are put; it is made if there are any.

    Returns:
        The archives by the names of the artifacts, which for the primary one is "".

    Raises:
        Failed: there is nothing to pack.
    """
    wanted = dict(spec.secondary)
    if spec.artifact:
        wanted[""] = spec.artifact
    if not wanted:
        return {}
    folder.mkdir(parents=True)
    try:
        return {name: _collect(name, one, source, folder) for name, one in wanted.items()}
    except Failed:
        shutil.rmtree(folder)
        raise


def _collect(name: str, artifact: Artifact, source: Path, folder: Path) -> Path:
    base = (source / artifact.base).resolve()
    if not base.is_dir():
        raise Failed(f"CLIENT_ERROR: no matching base directory path found for {artifact.base}")
    archive = folder / f"{name or 'primary'}.zip"
    if not archives.pack(archive, base, globs.files(base, artifact.files)):
        raise Failed(f"CLIENT_ERROR: no matching artifact paths found for {', '.join(artifact.files)}")
    return archive


def discard(outputs: Mapping[str, Path]) -> None:
    """Delete what `collect` has made."""
    for folder in {path.parent for path in outputs.values()}:
        shutil.rmtree(folder)
