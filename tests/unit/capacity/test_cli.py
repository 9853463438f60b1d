"""`mistral7b capacity`."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

import pytest

from mistral7b.capacity.calibration import Calibration, published_calibration
from mistral7b.capacity.measurements import published_path
from mistral7b_cli import main

FMBENCH = published_path().with_name("fmbench_mistral_7b_ml_g5_2xlarge_tgi_1_1.csv")

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
    assert fitted.parameters.decode_step == pytest.approx(published_calibration().parameters.decode_step, rel=0.03)
    shifted = tmp_path / "shifted.json"
    content = json.loads((tmp_path / "fit.json").read_text())
    content["concurrency_share"] = 1.0
    shifted.write_text(json.dumps(content))
    rows = json.loads(run("table", "--parameters", shifted, "--json")[1])["rows"]
    assert max(row["error"] for row in rows) > 0.3


def test_the_fit_as_json_is_what_it_writes_and_its_errors(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("fit", published_path(), "--json", "--output", tmp_path / "fit.json")[1])
    error = told.pop("error")
    assert "round_trip" not in told.pop("told")[str(published_path())]
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
        (["check"], "metric,input_words,output_tokens,concurrent_users,value\n", "line 1: the columns are"),
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
    assert "few.csv: the measurements do not determine prefill_per_token; measure more" in run("fit", path)[2]


def some_runs(folder: Path, *, sampled_out_of: int = 8) -> Path:
    """Every eighth of the shipped runs."""
    header, *lines = FMBENCH.read_text().splitlines()
    path = folder / "runs.csv"
    path.write_text("\n".join([header, *lines[::sampled_out_of]]))
    return path


def test_a_check_as_json_has_every_run_with_its_columns_and_the_predicted_latency(run: Run, tmp_path: Path) -> None:
    path = some_runs(tmp_path)
    rows = json.loads(run("check", path, "--json")[1])["rows"]
    header, *lines = [line.split(",") for line in path.read_text().splitlines()]
    assert [list(row) for row in rows] == [[*header, "predicted_latency_s"]] * len(lines)
    assert [[str(row["payload"]), row["latency_mean_s"]] for row in rows] == [
        [line[7], float(line[3])] for line in lines
    ]
    assert all(0.8 < row["predicted_latency_s"] / row["latency_mean_s"] < 1.25 for row in rows)


def test_a_check_groups_runs_by_concurrency_short_answers_and_all(run: Run, tmp_path: Path) -> None:
    told = json.loads(run("check", some_runs(tmp_path), "--json")[1])
    errors: dict[int, list[float]] = {row["concurrency"]: [] for row in told["rows"]}
    for row in told["rows"]:
        errors[row["concurrency"]].append(row["predicted_latency_s"] / row["latency_mean_s"] - 1)
    groups = {group["group"]: group for group in told["groups"]}
    assert list(groups) == [*(f"concurrency {n}" for n in errors), "answers under 30 tokens", "all"]
    assert groups["concurrency 2"]["median_bias"] == pytest.approx(median(errors[2]))
    assert groups["concurrency 2"]["median_absolute_error"] == pytest.approx(median(map(abs, errors[2])))
    assert groups["all"]["count"] == len(told["rows"]) == sum(map(len, errors.values()))


def test_a_check_does_not_depend_on_the_order_of_columns_nor_on_other_columns(run: Run, tmp_path: Path) -> None:
    path = some_runs(tmp_path)
    lines = [line.split(",") for line in path.read_text().splitlines()]
    shuffled = tmp_path / "shuffled.csv"
    extra = ["model", *["mistral"] * (len(lines) - 1)]
    shuffled.write_text("\n".join(",".join([*line[::-1], more]) for line, more in zip(lines, extra, strict=True)))
    rows, others = (json.loads(run("check", one, "--json")[1])["rows"] for one in (path, shuffled))
    assert list(others[0]) == [*lines[0][::-1], "model", "predicted_latency_s"]
    assert [{"model": "mistral", **row} for row in rows] == others


def test_a_check_takes_any_concurrency(run: Run, tmp_path: Path) -> None:
    path = some_runs(tmp_path)
    path.write_text(path.read_text() + "\n3,1500,80,4.5,,3,0,1000-2000\n32,1500,80,9,,32,0,1000-2000")
    told = json.loads(run("check", path, "--json")[1])
    groups = [group["group"] for group in told["groups"]]
    assert {"concurrency 3", "concurrency 32"} < set(groups)
    assert groups[:-2] == sorted(groups[:-2], key=lambda name: int(name.split()[1]))
    assert told["rows"][-1]["completion_tokens_per_s"] is None


def test_a_check_shows_how_many_the_client_had_in_flight(run: Run) -> None:
    status, out, _ = run("check", FMBENCH)
    assert status == 0
    assert "concurrency 8" in out
    assert "Requests that the client had in flight at most: 6" in out


def test_greedy_runs_are_predicted_without_the_cost_of_sampling(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "one.csv"
    path.write_text("concurrency,prompt_tokens_mean,completion_tokens_mean,latency_mean_s\n1,1000,100,4\n")
    sampled, greedy = (
        json.loads(run("check", path, "--json", *options)[1])["rows"][0]["predicted_latency_s"]
        for options in ((), ("--greedy",))
    )
    assert sampled - greedy == pytest.approx(100 * published_calibration().parameters.sampling)


def test_the_fit_of_both_kinds_says_which_file_tells_what(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("fit", published_path(), some_runs(tmp_path, sampled_out_of=4))
    told = {line.split()[0]: line for line in out.splitlines() if line.strip()}
    assert status == 0
    assert told["decode_step"].count("±") == 2
    assert "fitted by all files together" in told["sampling"]
    assert told["concurrency_share"].endswith("no")
    assert "pinned" in told["prefill_per_pair"]


def test_runs_that_could_not_be_served_are_refused_with_their_file(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("concurrency,prompt_tokens_mean,completion_tokens_mean,latency_mean_s\n1,9000,100,4\n")
    for command in ("check", "fit"):
        status, out, err = run(command, path)
        assert (status, out) == (2, "")
        assert f"{path}: a prompt of 9000 tokens" in err


def test_a_scheduler_alone_loads_neither_scipy_nor_matplotlib_nor_numpy() -> None:
    heavy = "{'numpy', 'scipy', 'matplotlib', 'pydantic'}"
    program = f"import sys, mistral7b.capacity.scheduler; print(sorted({heavy} & set(sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
