"""Artifacts: zip archives that keep the mode bits of their files."""

from __future__ import annotations

import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

LARGEST_BYTES = 4 * 1024**3
"""The unpacked size of an archive, at most: a bound against archives made to fill a disk."""

MOST_FILES = 500_000
"""Members of an archive, at most, for the same reason."""

_UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)


class BadArchive(Exception):
    """The archive cannot be unpacked; the text says why."""


def pack(archive: Path, folder: Path, files: Iterable[Path]) -> int:
    """Put files of a folder into a new archive, under their paths in it. Links stand for what they lead to.

    Returns:
        The number of files.
    """
    count = 0
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1, strict_timestamps=False) as made:
        for file in files:
            made.write(file, file.relative_to(folder).as_posix())
            count += 1
    return count


def read(archive: Path, name: str) -> str | None:
    """The text of a file in an archive; None where it has no file of that name.

    Raises:
        BadArchive: it is no archive, or the file is no text.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            return opened.read(name).decode() if name in opened.namelist() else None
    except (*_UNREADABLE, UnicodeDecodeError) as error:
        raise BadArchive(f"{name} of {archive.name} cannot be read: {error}") from error


def unpack(archive: Path, folder: Path) -> None:
    """Unpack an archive into a folder, which has to exist.

    Raises:
        BadArchive: it is no archive, is too large, or has a member that would lie outside of the folder.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            members = opened.infolist()
            if len(members) > MOST_FILES or sum(one.file_size for one in members) > LARGEST_BYTES:
                raise BadArchive(f"{archive.name} is too large: {len(members)} files")
            for member in members:
                _unpack_member(opened, member, folder)
    except _UNREADABLE as error:
        raise BadArchive(f"{archive.name} cannot be unpacked: {error}") from error


def _unpack_member(opened: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = _inside(folder, member.filename)
    mode = member.external_attr >> 16
    if member.is_dir():
        target.mkdir(parents=True, exist_ok=True)
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if stat.S_ISLNK(mode):
        destination = opened.read(member).decode()
        _inside(folder, (PurePosixPath(member.filename).parent / destination).as_posix())
        target.symlink_to(destination)
        return
    with opened.open(member) as source, target.open("wb") as written:
        shutil.copyfileobj(source, written)
    if mode:
        target.chmod(stat.S_IMODE(mode) & 0o777 | stat.S_IRUSR | stat.S_IWUSR)


def _inside(folder: Path, name: str) -> Path:
    """The place of a member.

    Raises:
        BadArchive: it is outside of the folder, by its name or by a link of an earlier member.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    root = folder.resolve()
    target = (root / path).resolve() if not path.is_absolute() else None
    if target is None or not target.is_relative_to(root):
        raise BadArchive(f"{name!r} leads out of the archive's folder")
    return folder / path
