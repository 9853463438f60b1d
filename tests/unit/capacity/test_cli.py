"""`mistral7b capacity`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.measurements import published_path
from mistral7b_cli import main

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the command in this process; returns its status, output and errors."""

    def _run(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mistral7b", "capacity", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return _run


def test_the_table_as_json_has_every_published_figure_under_its_own_name(run: Run) -> None:
    status, out, _ = run("table", "--json")
    told = json.loads(out)
    assert status == 0
    published = [line.split(",") for line in published_path().read_text().splitlines()[1:]]
    assert [
        [r["metric"], r["input_words"], r["output_tokens"], r["concurrent_users"], r["published"]] for r in told["rows"]
    ] == [[metric, *map(int, counts), float(value)] for metric, *counts, value in published]
    for row in told["rows"]:
        assert row["error"] == pytest.approx(row["predicted"] / row["published"] - 1)
        assert row["error_left_out"] == pytest.approx(row["predicted_left_out"] / row["published"] - 1)
    assert told["errors"]["all"]["maximum"] == pytest.approx(max(abs(row["error"]) for row in told["rows"]))


def test_the_table_shows_what_is_sustained_beside_what_was_benchmarked(run: Run) -> None:
    _, out, _ = run("table")
    line = next(line.split() for line in out.splitlines() if line.split()[:3] == ["512", "128", "32"])
    assert line[3] == "315"
    assert float(line[-1]) > 1.3 * float(line[4])


def test_the_plot_is_written_in_the_format_of_its_name(run: Run, tmp_path: Path) -> None:
    assert run("table", "--plot", tmp_path / "model.svg")[0] == 0
    assert "<svg" in (tmp_path / "model.svg").read_text()


@pytest.mark.parametrize("name", ["model.xyz", "a/b.png"])
def test_a_plot_of_an_unknown_kind_or_folder_is_refused(run: Run, tmp_path: Path, name: str) -> None:
    status, _, err = run("table", "--plot", tmp_path / name)
    assert status == 2
    assert f"--plot {tmp_path / name}: it has to be a file in a folder that exists, and end in .png" in err


def test_fitted_parameters_can_be_handed_to_the_table(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("fit", published_path(), "--output", tmp_path / "fit.json")
    assert status == 0
    assert "concurrency_share" in out
    fitted = Calibration.read(tmp_path / "fit.json")
    assert fitted.parameters.decode_step == pytest.approx(published_calibration().parameters.decode_step, rel=1e-4)
    shifted = tmp_path / "shifted.json"
    content = json.loads((tmp_path / "fit.json").read_text())
    content["concurrency_share"] = 1.0
    shifted.write_text(json.dumps(content))
    rows = json.loads(run("table", "--parameters", shifted, "--json")[1])["rows"]
    assert max(row["error"] for row in rows) > 0.3


def test_the_fit_as_json_is_what_it_writes_and_its_errors(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("fit", published_path(), "--json", "--output", tmp_path / "fit.json")[1])
    error = told.pop("error")
    assert told == json.loads((tmp_path / "fit.json").read_text())
    assert 0.01 < error["mean"] < 0.03 < error["maximum"] < 0.07


def test_tokens_per_word_are_what_the_fit_and_its_table_count_prompts_by(run: Run, tmp_path: Path) -> None:
    assert run("fit", published_path(), "--tokens-per-word", 1.2, "--output", tmp_path / "fit.json")[0] == 0
    dense, plain = Calibration.read(tmp_path / "fit.json"), published_calibration()
    assert dense.tokens_per_word == 1.2
    assert dense.parameters.prefill_per_token < 0.9 * plain.parameters.prefill_per_token
    told = json.loads(run("table", "--parameters", tmp_path / "fit.json", "--json")[1])
    assert told["errors"]["all"]["mean_left_out"] < 0.03


@pytest.mark.parametrize("number", ["nan", "0", "-1", "1e9"])
def test_impossible_tokens_per_word_are_refused(run: Run, number: str) -> None:
    status, _, err = run("fit", published_path(), f"--tokens-per-word={number}")
    assert (status, "--tokens-per-word" in err) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (["fit"], "metric,value\n", "line 1: the columns are"),
        (["fit"], "", "the columns are"),
        (["table", "--measurements"], "metric,value\n", "line 1: the columns are"),
        (["table", "--parameters"], "{}", "parameters: there is no such JSON object"),
    ],
)
def test_a_wrong_file_is_one_message_on_standard_error_and_status_2(
    run: Run, tmp_path: Path, arguments: list[str], content: str, message: str
) -> None:
    path = tmp_path / "given"
    path.write_text(content)
    status, out, err = run(*arguments, path)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 2
    assert str(path) in err


def test_measurements_that_are_too_few_name_the_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text("\n".join(published_path().read_text().splitlines()[:4]))
    assert "few.csv: 3 figures do not determine" in run("fit", path)[2]


def test_a_scheduler_alone_loads_neither_scipy_nor_matplotlib_nor_numpy() -> None:
    heavy = "{'numpy', 'scipy', 'matplotlib', 'pydantic'}"
    program = f"import sys, mistral7b.capacity.scheduler; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
