"""`mistral7b local up`: what it refuses before anything starts."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Result, run_main

Up = Callable[..., Result]


@pytest.fixture
def up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Up:
    """Runs `mistral7b local up` with these options, in a state folder of its own."""

    def never(*_: object, **__: object) -> None:
        pytest.fail("an embedded AWS was started")

    monkeypatch.setattr("sagehost.lifecycle.up", never)
    monkeypatch.delenv("MISTRAL7B_MODEL_URL", raising=False)

    def run(*options: str) -> Result:
        return run_main(monkeypatch, capsys, "local", "up", "--state", str(tmp_path), *options)

    return run


@pytest.mark.parametrize("speed", ["fast", "20x", "0", "-1", "101", "nan", "inf"])
def test_a_speed_that_is_none_is_refused_with_the_range(up: Up, speed: str) -> None:
    result = up(f"--speed={speed}")
    assert (result.status, result.out) == (2, "")
    assert "it is not a speed\nfix: give a number from 0.1 to 100, or instant" in result.err


@pytest.mark.parametrize("url", ["localhost:8080", "http://", "ftp://localhost", "model.gguf", "http://me:secret@host"])
def test_a_model_url_that_is_none_is_refused_with_its_form(up: Up, url: str) -> None:
    result = up("--model-url", url)
    assert (result.status, result.out) == (1, "")
    assert "write http://HOST:PORT" in result.err
    assert "secret" not in result.err


@pytest.mark.parametrize("speed", ["1", "20", "instant"])
def test_a_model_keeps_its_own_time(up: Up, speed: str) -> None:
    result = up("--model-url", "http://localhost:8080", "--speed", speed)
    assert (result.status, result.out) == (2, "")
    assert f"--speed {speed}: with --model-url, times are the model's own\nfix: leave --speed out" in result.err


def test_a_models_server_that_does_not_run_is_told(up: Up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    result = up("--model-url", f"http://127.0.0.1:{port}")
    assert (result.status, result.out) == (1, "")
    assert "Connect call failed" in result.err
    assert "fix: start the model's server, or give its URL, such as http://localhost:8080" in result.err
