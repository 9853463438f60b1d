"""`mistral7b schema`: what is stored, of both kinds of file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mistral7b_cli import main

ROOT = Path(__file__).parents[3]
Say = Callable[..., str]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Say:
    """Runs the command in this process and returns what it printed."""

    def _say(*arguments: str) -> str:
        monkeypatch.setattr("sys.argv", ["mistral7b", "schema", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    return _say


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ((), "schemas/environment.schema.json"),
        (("--pipeline",), "schemas/pipeline.schema.json"),
    ],
)
def test_it_prints_what_is_stored(arguments: tuple[str, ...], file: str, say: Say) -> None:
    assert say(*arguments) == (ROOT / file).read_text(encoding="utf-8"), "run `make generate`"
