"""Artifacts keep what is in them, and cannot reach out of their folder."""

from __future__ import annotations

import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.codebuild import archives
from localaws.codebuild.archives import BadArchive

Members = list[tuple[str, str, int]]


@pytest.fixture
def made(tmp_path: Path) -> Callable[[Members], Path]:
    def make(members: Members) -> Path:
        path = tmp_path / "archive.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, text, mode in members:
                member = zipfile.ZipInfo(name)
                member.external_attr = mode << 16
                archive.writestr(member, text)
        return path

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "folder"
    path.mkdir()
    return path


def test_files_come_back_with_their_modes(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "source"
    (source / "bin").mkdir(parents=True)
    (source / "bin" / "run").write_text("run")
    (source / "bin" / "run").chmod(0o755)
    (source / "data").write_bytes(bytes(range(256)))
    archives.pack(tmp_path / "a.zip", source, [source / "bin" / "run", source / "data"])
    archives.unpack(tmp_path / "a.zip", folder)
    assert (folder / "bin" / "run").stat().st_mode & 0o777 == 0o755
    assert (folder / "data").read_bytes() == bytes(range(256))
    assert not (folder / "data").stat().st_mode & stat.S_IXUSR


def test_a_link_in_an_artifact_stands_for_its_file(tmp_path: Path, folder: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("text")
    (source / "link").symlink_to("file")
    archives.pack(tmp_path / "a.zip", source, [source / "link"])
    archives.unpack(tmp_path / "a.zip", folder)
    assert (folder / "link").read_text() == "text"
    assert not (folder / "link").is_symlink()


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/tmp/out", "..\\out"])
def test_a_member_outside_of_the_folder_is_refused(made: Callable[[Members], Path], folder: Path, name: str) -> None:
    with pytest.raises(BadArchive, match="leads out of the archive's folder"):
        archives.unpack(made([(name, "text", 0o644)]), folder)
    assert list(folder.iterdir()) == []


LINK = stat.S_IFLNK | 0o777


def test_a_link_within_the_folder_is_made(made: Callable[[Members], Path], folder: Path) -> None:
    archives.unpack(made([("a/file", "text", 0o644), ("b", "a/file", LINK)]), folder)
    assert (folder / "b").is_symlink()
    assert (folder / "b").read_text() == "text"


@pytest.mark.parametrize("target", ["/etc/passwd", "../out", "../../etc"])
def test_a_link_out_of_the_folder_is_refused(made: Callable[[Members], Path], folder: Path, target: str) -> None:
    with pytest.raises(BadArchive):
        archives.unpack(made([("link", target, LINK)]), folder)
    assert not (folder / "link").is_symlink()


def test_a_member_is_not_written_through_a_link_that_leads_out(
    made: Callable[[Members], Path], tmp_path: Path, folder: Path
) -> None:
    (folder / "link").symlink_to(tmp_path)
    with pytest.raises(BadArchive):
        archives.unpack(made([("link/out", "text", 0o644)]), folder)
    assert not (tmp_path / "out").exists()


@given(st.binary(max_size=200))
def test_what_is_no_archive_is_refused(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "archive.zip")
        path.write_bytes(content)
        with pytest.raises(BadArchive):
            archives.unpack(path, path.parent)


def test_an_archive_that_would_fill_the_disk_is_refused(
    made: Callable[[Members], Path], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archives, "LARGEST_BYTES", 1000)
    with pytest.raises(BadArchive, match="too large"):
        archives.unpack(made([("zeros", "0" * 1001, 0o644)]), folder)
    assert list(folder.iterdir()) == []


def test_a_text_is_read_from_an_archive(made: Callable[[Members], Path]) -> None:
    archive = made([("a/b.yml", "text", 0o644)])
    assert archives.read(archive, "a/b.yml") == "text"
    assert archives.read(archive, "absent") is None
