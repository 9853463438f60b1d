"""The file of fitted parameters."""

import json
from pathlib import Path
from typing import Any

import pytest

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.errors import UserError


def changed(folder: Path, **changes: Any) -> Path:
    """The published calibration as a file, with changed fields; `parameters__x` is one of the parameters."""
    path = folder / "fit.json"
    published_calibration().write(path)
    content = json.loads(path.read_text())
    for name, value in changes.items():
        parent, _, field = name.rpartition("__")
        (content[parent] if parent else content)[field] = value
    path.write_text(json.dumps(content))
    return path


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert Calibration.read(changed(tmp_path)) == published_calibration()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"parameters__decode_step": "fast"}, "parameters.decode_step: fast is not a number"),
        ({"parameters__decode_step": float("nan")}, "parameters.decode_step: nan is not a number"),
        ({"parameters__decode_step": True}, "parameters.decode_step: True is not a number"),
        ({"parameters__decode_step": 0}, "parameters.decode_step: 0 is not a number from 1e-09 to 1000"),
        ({"parameters__prefill": -1}, "parameters.prefill: -1 is not a number from 1e-09 to 1000"),
        ({"concurrency_share": 1.5}, "concurrency_share: 1.5 is not a number from 0 to 1"),
        ({"tokens_per_word": 0}, "tokens_per_word: 0 is not a number from 0.1"),
        ({"parameters__speed": 1}, "parameters.speed is unknown"),
        ({"parameters": []}, "parameters: there is no such JSON object"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=r"fit\.json.*") as raised:
        Calibration.read(changed(tmp_path, **changes))
    assert message in str(raised.value)


@pytest.mark.parametrize("content", ["", "[]", "{}", "nothing", "[" * 50_000, '{"parameters": {}}'])
def test_a_file_that_holds_none_says_how_to_make_one(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(UserError, match=r"other\.json.*\nfix: `mistral7b capacity fit"):
        Calibration.read(path)


def test_what_is_missing_large_binary_or_no_file_is_refused(tmp_path: Path) -> None:
    large, binary = tmp_path / "large.json", tmp_path / "binary.json"
    large.write_text(" " * 200_000)
    binary.write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "none.json", large, binary, tmp_path, Path("/dev/zero")):
        with pytest.raises(UserError, match=path.name):
            Calibration.read(path)


def test_a_folder_that_does_not_exist_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        published_calibration().write(tmp_path / "none" / "fit.json")
