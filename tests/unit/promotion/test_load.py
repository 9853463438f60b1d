"""The pipeline file as a whole: defaults, the environments that it names, and every problem in one message."""

from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mistral7b.environment import EnvironmentFileError, Problem
from mistral7b.promotion import load_promotion
from tests.unit.promotion.conftest import FILES, HEAD, Load, Problems, head, promoting


def test_a_folder_without_the_file_has_no_pipeline(tmp_path: Path) -> None:
    assert load_promotion(tmp_path) is None


def test_a_short_file_is_complete(load: Load) -> None:
    """Artifacts are kept for a day at least; packs and tags as those of environments. Source: this project; A2 to A5,
    A10.
    """
    promotion = load(HEAD + promoting("dev", "prod"))
    settings = promotion.settings
    assert (settings.source.provider, settings.source.branch, settings.source.connection_arn) == (
        "github",
        "main",
        None,
    )
    assert (settings.build.setup, settings.build.test) == ("make setup", "make check")
    assert settings.artifacts.retention_days == 30
    assert settings.compliance_packs == ["aws-solutions", "nist-800-53-r5", "pci-dss-3.2.1", "hipaa"]


def test_environments_come_in_the_order_of_the_file(load: Load) -> None:
    assert [one.name for one in load(HEAD + promoting("staging", "dev", "prod")).environments] == [
        "staging",
        "dev",
        "prod",
    ]


def test_an_environment_without_an_account_is_in_the_pipelines(load: Load) -> None:
    promotion = load(HEAD + promoting("dev", "staging", "prod"))
    assert [(one.account, one.region) for one in promotion.environments] == [
        ("111111111111", "us-east-1"),
        ("222222222222", "us-east-1"),
        ("333333333333", "eu-west-1"),
    ]
    assert promotion.environments[0].environment.account is None


@pytest.mark.parametrize("name", ["prod", "eu-prod", "production", "live-2"])
def test_production_is_approved_unless_the_file_says_more(name: str, load: Load) -> None:
    promotion = load(HEAD + promoting("dev", name), {**FILES, name: "region: us-west-2\n"})
    assert [one.approval for one in promotion.environments] == [False, True]


def test_an_approval_can_be_asked_for_elsewhere_too(load: Load) -> None:
    text = HEAD + "environments:\n  - {name: dev, approval: true}\n  - {name: preprod}\n"
    promotion = load(text, {**FILES, "preprod": "region: us-west-2\n"})
    assert [one.approval for one in promotion.environments] == [True, False]


def test_a_benchmark_is_the_last_gate(tmp_path: Path) -> None:
    (tmp_path / "cdk.json").touch()  # the repository's folder is this one's
    folder = tmp_path / "environments"
    folder.mkdir()
    (tmp_path / "my base.json").touch()
    for name in ("dev", "pipeline"):
        own = "gates: [first], benchmark: {baseline: my base.json, tolerance_percent: 5, budget_usd: 0.5}"
        text = {"dev": FILES["dev"], "pipeline": HEAD + f"environments: [{{name: dev, {own}}}]\n"}[name]
        (folder / f"{name}.yaml").write_text(text)
    promotion = load_promotion(folder)
    assert promotion
    assert promotion.environments[0].gates == (
        "first",
        "export INSTALL=bench; make setup && .venv/bin/mistral7b bench dev --check 'my base.json' --tolerance 5% "
        "--budget 0.5",
    )


def test_gates_keep_their_order(load: Load) -> None:
    promotion = load(HEAD + "environments:\n  - name: dev\n    gates: [second --first, first]\n")
    assert promotion.environments[0].gates == ("second --first", "first")


def test_an_environment_that_is_not_promoted_is_not_read(load: Load) -> None:
    assert load(HEAD + promoting("dev"), {**FILES, "scratch": "region: nowhere\n"}).environments[0].name == "dev"


def test_null_stands_for_the_default(load: Load) -> None:
    text = HEAD + promoting("dev") + "github_actions: null\nnotifications: null\n"
    assert load(text).settings.notifications.emails == []


def test_every_problem_is_in_one_message_in_the_order_of_the_lines(load: Load) -> None:
    text = 'account: "1"\nregion: us-esat-1\nsource: {branch: "a..b"}\nbuilds: {}\n' + promoting("dev", "stagging")
    with pytest.raises(EnvironmentFileError) as caught:
        load(text)
    assert [(problem.line, problem.field) for problem in caught.value.problems] == [
        (None, "source.repository"),
        (1, "account"),
        (2, "region"),
        (3, "source.branch"),
        (4, "builds"),
        (7, "environments[1].name"),
    ]
    assert str(caught.value).startswith("6 problems in the pipeline file\n")


def test_problems_of_a_promoted_environment_are_reported_too(load: Load) -> None:
    with pytest.raises(EnvironmentFileError) as caught:
        load(HEAD + promoting("dev") + "tagz: {}\n", {"dev": "region: us-east-1\ninstance: {count: 0}\n"})
    assert {problem.field for problem in caught.value.problems} == {"instance.count", "tagz"}
    assert str(caught.value).startswith("2 problems in the environment files\n")


def test_a_misspelt_field_of_an_entry_suggests_the_nearest_and_keeps_the_entry(problems: Problems) -> None:
    found = problems(HEAD + "environments:\n  - {name: dev, gaets: []}\n  - {name: nowhere}\n")
    assert "did you mean gates?" in found["environments[0].gaets"].fix
    assert found["environments[1].name"].value == "nowhere"


@pytest.mark.parametrize("entry", ["dev", "{name: 5}", "{gates: []}", "[]"])
def test_an_entry_that_names_no_environment_is_the_only_problem(entry: str, problems: Problems) -> None:
    files = {"dev": "region: nowhere\n"}
    assert all(field.startswith("environments[0]") for field in problems(HEAD + f"environments: [{entry}]", files))


def test_everything_else_is_checked_despite_a_wrong_gate(problems: Problems) -> None:
    found = problems(HEAD + 'environments:\n  - {name: prod, approval: false, gates: [""]}\n  - {name: stagin}\n')
    assert found.keys() == {
        "environments[0].gates[0]",
        "environments[0].name",
        "environments[0].approval",
        "environments[1].name",
    }


def test_a_missing_field_says_add_it(problems: Problems) -> None:
    found = problems("region: us-east-1\n")
    assert found.keys() == {"account", "source", "environments"}
    assert all(problem.fix == "add it" for problem in found.values())


def test_an_account_without_quotes_has_a_fix_with_quotes(problems: Problems) -> None:
    assert problems(head(account="account: 111111111111") + promoting("dev"))["account"].fix == (
        'put it in quotes: "111111111111"'
    )


def test_a_syntax_error_is_the_only_problem(problems: Problems) -> None:
    assert problems(HEAD + "environments: &a [*a]\n").keys() == {"environments"}


def test_a_file_beyond_the_limit_is_refused(problems: Problems) -> None:
    assert "the limit is 32,768" in problems(HEAD + "#" * 40_000)["(file)"].reason


_SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
_FIELDS = st.sampled_from(
    ["account", "region", "source", "repository", "environments", "name", "gates", "approval", "tags", "build", "setup"]
)
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_FIELDS | st.text(max_size=5), inner, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None)
@given(text=st.text(max_size=60) | _VALUES.map(yaml.safe_dump))
def test_any_file_content_raises_only_environment_file_errors(text: str, load: Load) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        load(text)
    except EnvironmentFileError as error:
        problems = error.problems
    assert problems
    assert all(problem.file and problem.field and problem.reason and problem.fix for problem in problems)
