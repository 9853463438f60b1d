"""The patterns of buildspecs."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localaws.codebuild import globs

names = st.text(st.sampled_from("ab.[]{}+$^"), min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
paths = st.lists(names, min_size=1, max_size=4).map("/".join)


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("**/*", "a", True),
        ("**/*", "a/b/.c", True),
        ("*", "a", True),
        ("*", "a/b", False),
        ("*.json", "a.json", True),
        ("*.json", "axjson", False),
        ("**/*.json", "a/b/c.json", True),
        ("a/*", "a/b", True),
        ("a/*", "a/b/c", False),
        ("a/**/*", "a/b/c", True),
        ("a/**/*", "ab/c", False),
        ("a/**/c", "a/c", True),
        ("a/**", "a/b/c", True),
        ("./a", "a", True),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert globs.matches(path, pattern) is fits


@given(paths)
def test_a_path_fits_itself_and_everything(path: str) -> None:
    assert globs.matches(path, path)
    assert globs.matches(path, "**/*")


@given(paths, paths)
def test_a_folders_pattern_fits_just_what_is_below_it(folder: str, path: str) -> None:
    assert globs.matches(path, f"{folder}/**/*") is path.startswith(f"{folder}/")
    assert globs.whole_folder(f"{folder}/**/*") == folder


@pytest.mark.parametrize("pattern", ["**/*", "*", "a/*", "a/**/*.json", "a*/**/*", "a"])
def test_other_patterns_take_no_whole_folder(pattern: str) -> None:
    assert globs.whole_folder(pattern) is None


def test_files_are_found_in_order_and_folders_are_not(tmp_path: Path) -> None:
    for name in ("b/inner/file", "a", "b/.hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "empty").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in globs.files(tmp_path, ["**/*"])]
    assert found == ["a", "b/.hidden", "b/inner/file"]
