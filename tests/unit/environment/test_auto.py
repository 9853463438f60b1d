"""Fields that are `auto`: the planner's figures, or a message that names the field."""

import subprocess
import sys
from pathlib import Path

import pytest

from mistral7b.capacity.calibration import published_calibration
from mistral7b.capacity.planner.plan import plan
from tests.unit.environment.conftest import Load, Problems

WORKLOAD = """
workload:
  input_tokens: 300
  output_tokens: 100
  requests_per_second: {average: 1, peak: 4}
  objective: {p95_ms_per_token: 80}
"""
PLANNED = f"""
region: us-east-1
{WORKLOAD}
instance: {{count: auto}}
tgi: {{MAX_CONCURRENT_REQUESTS: auto, MAX_INPUT_LENGTH: auto, MAX_TOTAL_TOKENS: auto, MAX_BATCH_PREFILL_TOKENS: auto}}
auto_scaling: {{min_instances: auto, max_instances: auto, target_concurrent_requests: auto}}
"""


def test_auto_takes_the_planners_figures(load: Load) -> None:
    env = load(PLANNED)
    assert env.workload is not None
    assert env.auto_scaling is not None
    settings = plan(env.workload, published_calibration().parameters).settings
    assert env.container_environment()["MAX_CONCURRENT_REQUESTS"] == str(settings.max_concurrent_requests)
    assert env.tgi.max_input_length == settings.max_input_length
    assert env.tgi.max_total_tokens == settings.max_total_tokens
    assert env.tgi.max_batch_prefill_tokens == settings.max_batch_prefill_tokens
    assert env.auto_scaling.target_concurrent_requests == settings.target_concurrent_requests
    assert (env.auto_scaling.min_instances, env.auto_scaling.max_instances) == (
        settings.min_instances,
        settings.max_instances,
    )
    assert env.instance.count == settings.min_instances


def test_planned_fields_are_known_as_such(load: Load) -> None:
    env = load(f"region: us-east-1\n{WORKLOAD}\ntgi: {{MAX_CONCURRENT_REQUESTS: auto}}\ninstance: {{count: 3}}\n")
    assert env.planned == ("tgi.MAX_CONCURRENT_REQUESTS",)
    assert load("region: us-east-1\n").planned == ()


def test_a_count_that_is_auto_without_scaling_is_enough_for_the_peak(load: Load) -> None:
    fixed = load(f"region: us-east-1\n{WORKLOAD}\ntgi: {{MAX_CONCURRENT_REQUESTS: auto}}\ninstance: {{count: auto}}\n")
    scaled = load(PLANNED)
    assert scaled.auto_scaling is not None
    assert fixed.auto_scaling is None
    assert fixed.instance.count == scaled.auto_scaling.max_instances


@pytest.mark.parametrize(
    ("section", "field"),
    [
        ("tgi: {MAX_CONCURRENT_REQUESTS: auto}", "tgi.MAX_CONCURRENT_REQUESTS"),
        ("auto_scaling: {target_concurrent_requests: auto}", "auto_scaling.target_concurrent_requests"),
        ("instance: {count: auto}", "instance.count"),
    ],
)
def test_auto_without_a_workload_is_refused(problems: Problems, section: str, field: str) -> None:
    problem = problems(f"region: us-east-1\n{section}\n")[field]
    assert (problem.reason, problem.value, problem.line) == ("there is no workload to plan for", "auto", 2)


def test_auto_where_nothing_is_planned_is_refused_as_any_word(problems: Problems) -> None:
    assert (
        "whole number"
        in problems(f"region: us-east-1\n{WORKLOAD}\ntgi: {{MAX_BEST_OF: auto}}\n")["tgi.MAX_BEST_OF"].reason
    )


def test_an_objective_that_cannot_be_kept_is_refused_with_one_that_can(problems: Problems, load: Load) -> None:
    text = PLANNED.replace("p95_ms_per_token: 80", "p95_ms_per_token: 5")
    problem = problems(text)["tgi.MAX_CONCURRENT_REQUESTS"]
    assert problem.reason.startswith("p95_ms_per_token 5 is below")
    nearest = problem.fix.removeprefix("the nearest objective that can be met is ")
    assert load(text.replace("p95_ms_per_token: 5", nearest)).planned


def test_a_figure_of_the_file_that_is_in_the_way_is_named(problems: Problems) -> None:
    text = f"region: us-east-1\n{WORKLOAD}\nauto_scaling: {{target_concurrent_requests: auto}}\n"
    problem = problems(text)["auto_scaling.target_concurrent_requests"]
    assert "MAX_CONCURRENT_REQUESTS 128 in flight" in problem.reason


def test_a_setting_that_the_launcher_refuses_is_named_before_anything_is_planned(problems: Problems) -> None:
    settings = "tgi: {MAX_CONCURRENT_REQUESTS: auto, MAX_BATCH_PREFILL_TOKENS: 512}"
    problem = problems(f"region: us-east-1\n{WORKLOAD}\n{settings}\n")["tgi.MAX_BATCH_PREFILL_TOKENS"]
    assert problem.fix == "set MAX_BATCH_PREFILL_TOKENS to 8191 or more"


def test_an_instance_type_that_the_model_does_not_cover_cannot_be_planned(problems: Problems) -> None:
    text = PLANNED.replace("count: auto", "count: 1, type: ml.g5.12xlarge")
    assert "4 × NVIDIA A10G" in problems(text)["tgi.MAX_CONCURRENT_REQUESTS"].reason


def test_the_same_file_gives_the_same_figures_in_another_process(load: Load, tmp_path: Path) -> None:
    here = load(PLANNED)
    program = (
        "import sys; from pathlib import Path; from mistral7b.environment import load_environment; "
        "print(load_environment(Path(sys.argv[1]), 'dev').model_dump_json())"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONHASHSEED": "7"},
    )
    assert other.stdout.strip() == here.model_dump_json()


def test_an_environment_without_auto_does_not_load_the_planner(load: Load, tmp_path: Path) -> None:
    load(f"region: us-east-1\n{WORKLOAD}")
    program = (
        "import sys; from pathlib import Path; from mistral7b.environment import load_environment; "
        "load_environment(Path(sys.argv[1]), 'dev'); "
        "print(*[m for m in sys.modules if m == 'numpy' or m.startswith('mistral7b.capacity')])"
    )
    loaded = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert loaded.stdout.split() == []
