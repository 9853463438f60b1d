"""`mistral7b plan` as a user runs it."""

import contextlib
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


def test_an_instance_type_that_the_model_does_not_cover_is_refused_by_name(run: Run) -> None:
    status, out, err = run("large")
    assert (status, out) == (2, "")
    assert "large.yaml: ml.g5.12xlarge cannot be planned" in err
    assert "on one of ml.g5.2xlarge" in err


def test_three_lines_of_answer_come_first_and_fit_80_columns(run: Run) -> None:
    first, second, third, *_ = run("dev")[1].splitlines()
    assert re.fullmatch(
        r"dev: 1 to 2 × ml.g5.2xlarge, [0-9.]+ USD an hour at the average, [0-9.]+ at the peak\.", first
    )
    assert re.fullmatch(r"At most [0-9]+ requests in flight on each: one more breaks p95_ms_per_token\.", second)
    assert re.fullmatch(r"At the peak: p95_ms_per_token [0-9.]+ of 80; room for [0-9.]+% more requests\.", third)
    assert max(map(len, (first, second, third))) <= 80


def test_runners_up_are_shown_on_request(run: Run) -> None:
    assert "Runners-up" not in run("dev")[1]
    assert "What binds: prefill, by p95_ms_per_token" in run("dev", "--verbose")[1]
    assert "Runners-up" in run("dev", "--verbose")[1]


def test_giving_up_the_second_zone_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(f"{FILES['dev']}instance: {{count: 2}}\n", encoding="utf-8")
    (note, *_) = planned(run, "two")["notes"]
    assert note.startswith("two always runs 2 now, this plan one at times")
    assert "survives_zone: true" in note


def test_a_second_instance_for_the_zone_alone_is_explained(run: Run, tmp_path: Path) -> None:
    (tmp_path / "zone.yaml").write_text(f"{FILES['dev']}  survives_zone: true\n", encoding="utf-8")
    result = planned(run, "zone")
    assert result["settings"]["min_instances"] == 2
    assert any("as survives_zone is true; one refuses" in note for note in result["notes"])


def test_values_of_auto_are_shown_as_such_and_differences_are_named(run: Run, tmp_path: Path) -> None:
    text = f"{FILES['dev']}tgi: {{MAX_CONCURRENT_REQUESTS: auto}}\ninstance: {{count: 3}}\n"
    (tmp_path / "auto.yaml").write_text(text, encoding="utf-8")
    result, out = planned(run, "auto"), run("auto")[1]
    assert result["planned_by_auto"] == ["tgi.MAX_CONCURRENT_REQUESTS"]
    limit = result["settings"]["max_concurrent_requests"]
    assert re.search(rf"tgi.MAX_CONCURRENT_REQUESTS +auto \({limit}\) +{limit}\n", out)
    (note,) = (note for note in result["notes"] if note.startswith("auto deploys"))
    assert "also change tgi.MAX_INPUT_LENGTH" in note
    assert "MAX_CONCURRENT_REQUESTS" not in note


def test_what_is_planned_is_what_simulate_simulates(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = run("dev")[1].split("For the environment file:")[1]
    (climb,) = (one for one in planned(run, "dev")["simulated"] if one["scenario"] == "climb")
    (tmp_path / "again.yaml").write_text(FILES["dev"] + lines, encoding="utf-8")
    monkeypatch.setattr("sys.argv", ["mistral7b", "simulate", "again", "--environments", str(tmp_path), "--json"])
    with contextlib.suppress(SystemExit):
        main()
    (simulated,) = json.loads(capsys.readouterr().out)["policies"]
    for figure in ("requests", "refused", "timed_out", "instance_hours", "flaps"):
        assert simulated[figure] == climb[figure]
    assert [*simulated["latency_s"].values()] == climb["latency_s"]


def test_equal_bounds_are_planned_as_a_fixed_number_of_instances(run: Run, tmp_path: Path) -> None:
    (tmp_path / "flat.yaml").write_text(re.sub("{average.*}", "1", FILES["dev"]), encoding="utf-8")
    lines = run("flat")[1].split("For the environment file:")[1]
    assert yaml.safe_load(lines)["auto_scaling"] is None
    assert yaml.safe_load(lines)["instance"] == {"count": 1}


def test_scaling_that_flaps_within_a_constant_burst_is_found(run: Run, tmp_path: Path) -> None:
    workload = WORKLOAD.replace("average: 1, peak: 4", "average: 4, peak: 20")
    scaling = (
        "auto_scaling: {min_instances: 2, max_instances: 14, target_concurrent_requests: 16}\ninstance: {count: 2}\n"
    )
    (tmp_path / "burst.yaml").write_text(f"region: us-east-1\n{workload}{scaling}", encoding="utf-8")
    notes = planned(run, "burst")["notes"]
    assert any(note.startswith("The present auto_scaling flaps") for note in notes)
    assert not any(note.startswith("The planned auto_scaling flaps") for note in notes)


def test_what_is_served_while_a_zone_has_failed_is_said_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "zone.yaml").write_text(f"{FILES['dev']}  survives_zone: true\n", encoding="utf-8")
    result = planned(run, "zone")
    (line,) = (note for note in result["notes"] if note.startswith("If one of 2 zones fails"))
    shares = [float(share) / 100 for share in re.findall(r"([0-9]+)%", line)]
    assert shares == pytest.approx([*result["served_without_a_zone"].values()], abs=0.006)
    assert 0 < shares[1] <= shares[0] <= 1


def test_a_burst_that_loses_more_than_may_be_lost_is_said(run: Run, tmp_path: Path) -> None:
    text = FILES["dev"].replace("peak: 4", "peak: 12")
    (tmp_path / "steep.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "ready.yaml").write_text(f"{text}  climb_minutes: 0\n", encoding="utf-8")
    steep, ready = (planned(run, name)["notes"] for name in ("steep", "ready"))
    assert any("climb_minutes: 0 plans for that" in note for note in steep)
    assert not any("climb_minutes: 0 plans for that" in note for note in ready)


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
