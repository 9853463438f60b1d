"""`mistral7b plan` as a user runs it."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mistral7b.environment import load_environment
from mistral7b_cli import main

Run = Callable[..., tuple[int, str, str]]

WORKLOAD = """
workload:
  input_tokens: 300
  output_tokens: 100
  requests_per_second: {average: 1, peak: 4}
  objective: {p95_ms_per_token: 80}
"""
FILES = {
    "dev": f"region: us-east-1\n{WORKLOAD}",
    "bare": "region: us-east-1\n",
    "strict": f"region: us-east-1\n{WORKLOAD.replace('80', '9')}",
    "large": f"region: us-east-1\ninstance: {{type: ml.g5.12xlarge}}\n{WORKLOAD}",
}


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Runs the command in this process; returns status, standard output and standard error."""
    for name, text in FILES.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")

    def _run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["mistral7b", "plan", *arguments, "--environments", str(tmp_path)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return _run


def planned(run: Run, *arguments: str) -> dict[str, Any]:
    """What `--json` prints."""
    status, out, _ = run(*arguments, "--json")
    assert status == 0
    result: dict[str, Any] = json.loads(out)
    return result


def test_the_lines_for_the_file_make_an_environment_with_the_planned_settings(run: Run, tmp_path: Path) -> None:
    settings = planned(run, "dev")["settings"]
    lines = run("dev")[1].split("For the environment file:")[1]
    (tmp_path / "new.yaml").write_text(FILES["dev"] + lines, encoding="utf-8")
    env = load_environment(tmp_path, "new")
    assert env.auto_scaling is not None
    assert env.tgi.max_concurrent_requests == settings["max_concurrent_requests"]
    assert env.auto_scaling.target_concurrent_requests == settings["target_concurrent_requests"]
    assert env.instance.count == settings["min_instances"]
    assert set(yaml.safe_load(lines)) == {"tgi", "auto_scaling", "instance"}


def test_plan_shows_current_and_planned_settings(run: Run) -> None:
    result = planned(run, "dev")
    assert result["current"]["tgi.MAX_CONCURRENT_REQUESTS"] == "128"
    assert result["current"]["auto_scaling.min_instances"] is None
    line = next(line for line in run("dev")[1].splitlines() if "MAX_CONCURRENT_REQUESTS" in line)
    assert line.split()[1:] == ["128", str(result["settings"]["max_concurrent_requests"])]


def test_plan_warns_that_jumpstarts_lengths_block_the_queue(run: Run) -> None:
    assert any("8177 to 8191 tokens" in note for note in planned(run, "dev")["notes"])


def test_cost_follows_from_the_given_price(run: Run) -> None:
    result = planned(run, "dev", "--price", "2")
    assert result["usd_per_hour_at_peak"] == 2 * result["settings"]["max_instances"]
    peak = result["at_peak"]
    tokens_per_hour = 3600 * 100 * peak["requests_per_second"] * (1 - peak["refused"]) * (1 - peak["timed_out"])
    expected = 1e6 * result["usd_per_hour_at_peak"] / tokens_per_hour
    assert result["usd_per_million_tokens_at_peak"] == pytest.approx(expected)
    assert result["price_source"] == "--price"


def test_built_in_price_is_shown_with_its_date(run: Run) -> None:
    assert "2024" in planned(run, "dev")["price_source"]


def test_a_type_that_the_model_does_not_cover_is_planned_on_one_that_it_does(run: Run) -> None:
    result = planned(run, "large")
    assert result["instance_type"] == "ml.g5.2xlarge"
    assert any("does not cover ml.g5.12xlarge" in note for note in result["notes"])


def test_infeasible_objective_exits_2_and_names_the_nearest_feasible_one(run: Run, tmp_path: Path) -> None:
    status, out, err = run("strict")
    assert (status, out) == (2, "")
    assert str(tmp_path / "strict.yaml") in err
    nearest = err.split("the nearest objective that can be met is p95_ms_per_token: ")[1].strip()
    (tmp_path / "again.yaml").write_text(FILES["dev"].replace("80", nearest), encoding="utf-8")
    assert run("again")[0] == 0


def test_an_environment_without_a_workload_is_refused(run: Run) -> None:
    status, _, err = run("bare")
    assert status == 2
    assert "bare.yaml: there is no workload to plan for\nfix: add workload:" in err
    assert "Traceback" not in err


def test_plan_shows_what_the_planned_instances_and_the_rest_cost(run: Run) -> None:
    result = planned(run, "dev", "--price", "2")
    settings, items = result["settings"], result["cost"]["items"]
    assert items[0]["usd_per_hour"] == [2 * settings["min_instances"], 2 * settings["max_instances"]]
    assert {one["item"]: one["usd_per_month"][0] for one in items[1:]} == {
        "zone of the interface endpoint": pytest.approx(14.6),
        "customer managed key": pytest.approx(2.0),
        "alarm of scaling": pytest.approx(0.6),
    }


def test_environments_are_compared_with_a_workload_or_without(run: Run, tmp_path: Path) -> None:
    (tmp_path / "strict.yaml").write_text("region: eu-west-1\nauto_scaling: {max_instances: 3}\n", encoding="utf-8")
    hours = 'office_hours: {time_zone: Europe/Berlin, weekdays: "08:00-19:00"}'
    (tmp_path / "bare.yaml").write_text(f"region: us-east-1\n{hours}\n", encoding="utf-8")
    status, out, _ = run("--all")
    assert status == 0
    assert [re.split(" {2,}", line) for line in out.splitlines() if " on ml." in line] == [
        ["dev on ml.g5.2xlarge", "1", "1.538", "1,122.55"],
        ["bare on ml.g5.2xlarge, 238 h", "1", "1.538", "377.68"],
        ["large on ml.g5.12xlarge", "1", "7.113", "5,192.30"],
        ["strict on ml.g5.2xlarge", "1 to 3", "1.539 to 4.569", "1,123.15 to 3,335.05"],
    ]
    assert max(map(len, out.split("In USD")[0].splitlines())) <= 80
    assert "In USD: prices of us-east-1, November 2024" in out
    priced = json.loads(run("--all", "--price", "1", "--json")[1])
    found = {one["environment"]: one["total"]["usd_per_month"] for one in priced}
    assert found["large"] == [pytest.approx(730 + 14.6 + 2)] * 2


@pytest.mark.parametrize("arguments", [("dev", "--all"), ("--all", "--plot", "plan.svg")])
def test_a_comparison_takes_no_environment_and_draws_nothing(run: Run, arguments: tuple[str, ...]) -> None:
    status, out, err = run(*arguments)
    assert (status, out) == (2, "")
    assert "--all takes no environment, --parameters or --plot" in err


def test_price_list_is_asked_on_request_only(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mistral7b.operate.price_list.current_price", lambda *_: (3.0, "AWS Price List of 2026-11-20"))
    assert planned(run, "dev")["usd_per_instance_hour"] == 1.515
    listed = planned(run, "dev", "--price-list")
    assert (listed["usd_per_instance_hour"], listed["price_source"]) == (3.0, "AWS Price List of 2026-11-20")
    assert "--price and --price-list exclude each other" in run("dev", "--price-list", "--price", "1")[2]


def test_a_picture_is_drawn_and_is_the_same_again(run: Run, tmp_path: Path) -> None:
    files = [tmp_path / "one.svg", tmp_path / "two.svg"]
    for file in files:
        assert run("dev", "--plot", str(file))[0] == 0
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_picture_of_no_known_kind_is_refused_before_anything_is_planned(run: Run) -> None:
    status, out, err = run("dev", "--plot", "plan.txt")
    assert (status, out) == (2, "")
    assert ".svg" in err
