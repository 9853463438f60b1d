"""Environment files: merging, defaults, and everything wrong in one message."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mistral7b.environment import EnvironmentFileError, Problem, load_environment, load_environments
from tests.unit.environment.conftest import Load, Problems

FIVE_LINES = """\
region: eu-west-1
model: base
tags:
  team: search
  cost-centre: "4711"
"""


def test_a_file_of_five_lines_is_complete_with_jumpstarts_configuration(load: Load) -> None:
    env = load(FIVE_LINES)
    assert env.version.version == "2.1.0"
    assert env.instance_type == "ml.g5.2xlarge"
    assert env.resolved_endpoint_name == "mistral-7b-base-dev"
    assert env.container_environment()["MAX_INPUT_LENGTH"] == "8191"
    assert env.container_environment()["MAX_TOTAL_TOKENS"] == "8192"
    assert env.image_uri == (
        "763104351884.dkr.ecr.eu-west-1.amazonaws.com/"
        "huggingface-pytorch-tgi-inference:2.0.1-tgi1.1.0-gpu-py39-cu118-ubuntu20.04"
    )
    assert env.auto_scaling is None


def test_one_line_overrides_a_launcher_variable(load: Load) -> None:
    env = load("region: us-east-1\ntgi:\n  MAX_CONCURRENT_REQUESTS: 4\n")
    assert env.container_environment()["MAX_CONCURRENT_REQUESTS"] == "4"


def test_an_environments_file_overrides_common_field_by_field(load: Load) -> None:
    env = load(
        "region: us-east-1\ninstance: {count: 2}\ntgi: {MAX_BEST_OF: 1}\n",
        common="instance: {type: ml.g5.4xlarge, count: 1}\ntgi: {MAX_CONCURRENT_REQUESTS: 64}\n",
    )
    assert (env.instance_type, env.instance.count) == ("ml.g5.4xlarge", 2)
    assert env.tgi.to_environment() == {"MAX_CONCURRENT_REQUESTS": "64", "MAX_BEST_OF": "1"}


def test_null_takes_back_what_common_sets(load: Load) -> None:
    env = load("region: us-east-1\nauto_scaling: null\n", common="auto_scaling: {max_instances: 4}\n")
    assert env.auto_scaling is None


def test_an_account_keeps_its_leading_zeros(load: Load) -> None:
    assert load("region: us-east-1\naccount: 001234567012\n").account == "001234567012"


def test_gpus_of_the_instance_type_set_the_number_of_shards(load: Load) -> None:
    env = load("region: us-east-1\ninstance: {type: ml.g5.12xlarge}\n")
    assert env.container_environment()["SM_NUM_GPUS"] == "4"


def test_every_problem_of_both_files_is_in_one_message(problems: Problems) -> None:
    found = problems(
        "region: us-esat-1\naccount: 12\nmodell: base\ninstance: {count: '1'}\n",
        common="removal: {log_retention_days: 8}\nauto_scaling: {min_instances: 3, max_instances: 2}\n",
    )
    assert set(found) == {
        "region",
        "account",
        "modell",
        "instance.count",
        "removal.log_retention_days",
        "auto_scaling.max_instances",
    }
    assert found["auto_scaling.max_instances"].file.endswith("common.yaml")
    assert found["auto_scaling.max_instances"].line == 2
    assert (Path(found["modell"].file).name, found["modell"].line) == ("dev.yaml", 3)


def test_a_wrong_number_suggests_the_nearest_in_value(problems: Problems) -> None:
    found = problems("region: us-east-1\nremoval: {log_retention_days: 45}\n")
    assert found["removal.log_retention_days"].fix.startswith("did you mean 30?")


def test_a_misspelt_field_suggests_the_nearest(problems: Problems) -> None:
    found = problems("region: us-east-1\ntgi: {MAX_CONCURENT_REQUESTS: 4}\n")
    assert "did you mean MAX_CONCURRENT_REQUESTS?" in found["tgi.MAX_CONCURENT_REQUESTS"].fix


def test_rules_are_checked_despite_a_misspelt_field(problems: Problems) -> None:
    found = problems("region: us-east-1\ntgi: {MAX_CONCURENT_REQUESTS: 4, MAX_TOTAL_TOKENS: 8191}\n")
    assert set(found) == {"tgi.MAX_CONCURENT_REQUESTS", "tgi.MAX_INPUT_LENGTH"}


def test_a_misspelt_region_suggests_the_one_with_its_letters_in_order(problems: Problems) -> None:
    assert "did you mean us-east-1?" in problems("region: us-esat-1\n")["region"].fix


def test_a_missing_field_names_the_environments_file_without_a_line(problems: Problems) -> None:
    problem = problems("model: base\n")["region"]
    assert (problem.line, problem.reason) == (None, "it is required")


def test_a_field_with_a_wrong_entry_is_not_also_called_missing(problems: Problems) -> None:
    vpc = "vpc_id: vpc-0a1b2c3d, subnet_ids: [subnet-1, subnet-2], availability_zones: [use1-az1, use1-az2]"
    found = problems(f"region: us-east-1\nnetwork: {{existing_vpc: {{{vpc}, cidr: 10.0.0.0/16}}}}\n")
    assert set(found) == {"network.existing_vpc.subnet_ids[0]", "network.existing_vpc.subnet_ids[1]"}


@pytest.mark.parametrize(
    ("value", "wrong"),
    [
        ("{mean: 400}", {"p95"}),
        ("{}", {"mean", "p95"}),
        ("{mean: x, p95: 2}", {"mean"}),
        ("{mean: 1, p95: 2, spread: 3}", {"spread"}),
    ],
)
def test_a_field_of_several_forms_names_what_is_wrong_in_the_form_that_is_given(
    value: str, wrong: set[str], problems: Problems
) -> None:
    rest = "output_tokens: 1, requests_per_second: {average: 1, peak: 1}, objective: {p50_seconds: 9}"
    found = problems(f"region: us-east-1\nworkload: {{input_tokens: {value}, {rest}}}\n")
    assert set(found) == {f"workload.input_tokens.{name}" for name in wrong}


def test_a_number_in_quotes_has_a_fix_without_quotes(problems: Problems) -> None:
    assert problems("region: us-east-1\ninstance: {count: '2'}\n")["instance.count"].fix == "write it without quotes: 2"


def test_a_number_in_place_of_text_has_a_fix_with_quotes(problems: Problems) -> None:
    assert problems("region: us-east-1\nmodel_version: 2.0\n")["model_version"].fix == 'put it in quotes: "2.0"'


def test_a_field_set_twice_names_both_lines(problems: Problems) -> None:
    problem = problems("region: us-east-1\nmodel: base\nregion: us-east-2\n")["region"]
    assert (problem.line, problem.reason) == (3, "it is set twice, first on line 1")


@pytest.mark.parametrize("text", ["region: [", "just text", "- a list", "region: \tx"])
def test_a_file_that_is_not_a_mapping_is_refused_with_the_line(text: str, problems: Problems) -> None:
    problem = problems(text)["(file)"]
    assert problem.line is not None


def test_the_name_of_an_environment_is_its_files(problems: Problems) -> None:
    assert problems("region: us-east-1\nname: dev\n")["name"].fix == "remove the field; rename the file instead"


def test_an_unknown_environment_lists_the_known_ones(tmp_path: Path) -> None:
    for name in ("dev", "staging"):
        (tmp_path / f"{name}.yaml").write_text("region: us-east-1\n")
    with pytest.raises(
        EnvironmentFileError, match=r"no environment 'stagin'\. Did you mean staging\? \(dev, staging\)"
    ):
        load_environment(tmp_path, "stagin")


def test_a_folder_that_is_not_there_says_where_to_run_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentFileError) as caught:
        load_environment(Path("environments"), "dev")
    assert str(caught.value) == "no folder environments/ here; run it in the project's folder"


def test_an_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFileError, match="there is no environment file in it"):
        load_environments(tmp_path)


def test_environments_come_in_the_order_of_promotion(tmp_path: Path) -> None:
    for name in ("prod", "alpha", "dev", "staging"):
        (tmp_path / f"{name}.yaml").write_text("region: us-east-1\n")
    assert list(load_environments(tmp_path)) == ["dev", "staging", "prod", "alpha"]


def test_the_order_is_that_of_the_pipeline_file_and_then_the_usual_one(tmp_path: Path) -> None:
    for name in ("prod", "alpha", "dev", "staging"):
        (tmp_path / f"{name}.yaml").write_text("region: us-east-1\n")
    (tmp_path / "pipeline.yaml").write_text("environments: [{name: staging}, {name: prod}, 3, {name: []}]\n")
    assert list(load_environments(tmp_path)) == ["staging", "prod", "dev", "alpha"]


def test_a_problem_in_common_yaml_is_reported_once(tmp_path: Path) -> None:
    (tmp_path / "common.yaml").write_text("instance: {count: 0}\n")
    for name in ("dev", "staging"):
        (tmp_path / f"{name}.yaml").write_text("region: us-east-1\n")
    with pytest.raises(EnvironmentFileError) as caught:
        load_environments(tmp_path)
    assert [p.field for p in caught.value.problems] == ["instance.count"]


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_FIELDS = st.sampled_from(
    ["region", "model", "instance", "tgi", "network", "vpc", "cidr", "auto_scaling", "tags", "count"]
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS | st.text(max_size=5), inner, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(text=st.text(max_size=60) | _VALUES.map(yaml.safe_dump))
def test_any_file_content_raises_only_environment_file_errors(text: str, tmp_path: Path) -> None:
    (tmp_path / "dev.yaml").write_text(text, encoding="utf-8")
    problems: tuple[Problem, ...] = ()
    try:
        load_environment(tmp_path, "dev")
    except EnvironmentFileError as error:
        problems = error.problems
    assert all(p.file and p.field and p.reason and p.fix for p in problems)
