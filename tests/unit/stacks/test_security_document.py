"""docs/security.md: true to the templates, and refused where it could not be."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mistral7b_stacks.pipeline import PipelineStack
from mistral7b_stacks.stage import EnvironmentStage
from tests.variants import ENVIRONMENTS, PROMOTED, PROMOTIONS
from tools.security_document import security_document
from tools.statement_entries import Entry, StatementsError, entries
from tools.statement_subjects import Subject
from tools.statement_subjects import subjects as all_subjects
from tools.statements import Statement
from tools.write_docs import DOCUMENTS

ROOT = Path(__file__).parents[3]
DOCUMENT = ROOT / "docs" / "security.md"


@pytest.fixture(scope="module")
def subjects(stages: dict[str, EnvironmentStage], pipelines: dict[str, PipelineStack]) -> list[Subject]:
    return all_subjects(stages, ENVIRONMENTS, pipelines, PROMOTIONS)


@pytest.fixture(scope="module")
def environments(subjects: list[Subject]) -> list[Subject]:
    return [subject for subject in subjects if subject.environment is not None]


@pytest.fixture(scope="module")
def entry(statements: list[Statement], environments: list[Subject]) -> Callable[[str, str], Entry]:
    found = entries(statements, environments)
    return lambda path, key: next(e for e in found if (f"{e.stack}/{e.path}", e.key) == (path, key))


def test_the_document_is_what_the_templates_say_now(subjects: list[Subject]) -> None:
    expected = security_document(subjects)
    same = DOCUMENT.read_text(encoding="utf-8") == expected  # a diff of the whole file would hide the message
    assert same, "docs/security.md is not up to date: run python tools/write_docs.py"


def test_the_document_is_among_those_that_the_command_writes() -> None:
    assert "docs/security.md" in DOCUMENTS


def test_every_resource_with_statements_has_a_section_and_every_statement_a_place(
    all_statements: list[Statement],
) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    names = "|".join(PROMOTED)
    resources = {
        re.sub(rf"^Builds/({names})-", "Builds/<environment>-", re.sub(r"^Caller-.+", "Caller-<role>", s.path))
        for s in all_statements
    }
    assert set(re.findall(r"^### `(.+)`:", text, re.M)) == resources
    assert {s.key for s in all_statements} == set(re.findall(r"^\*\*(.+?)\*\* \(", text, re.M))


def test_no_environments_own_values_are_left_in_the_document() -> None:
    _, text = DOCUMENT.read_text(encoding="utf-8").split("# Every policy statement")
    own = {value for e in ENVIRONMENTS.values() for value in (e.account, e.region, e.resolved_endpoint_name) if value}
    own |= {value for p in PROMOTIONS.values() for value in (p.settings.account, p.settings.source.repository)}
    assert [value for value in sorted(own) if re.search(rf"(?<![\w-]){value}(?![\w-])", text)] == []


def test_one_role_for_each_environment_is_one_entry(subjects: list[Subject]) -> None:
    pipelines = [subject for subject in subjects if subject.environment is None]
    found = entries([s for subject in pipelines for s in subject.collected.statements], pipelines)
    paths = {entry.path: entry for entry in found if entry.key == "AnswerApproval"}
    assert set(paths) == {"Builds/<environment>-ReviewRole", "Builds/UpdatePipeline-ReviewRole"}
    approval = paths["Builds/<environment>-ReviewRole"]
    assert list(approval.resources) == [
        "arn:<partition>:codepipeline:<region>:<account>:mistral-7b-pipeline/<environment>/SecurityChanges"
    ]


def test_one_statement_of_many_environments_is_one_entry(entry: Callable[[str, str], Entry]) -> None:
    assert entry("endpoint/Role", "PullImage").environments == set(ENVIRONMENTS)
    assert list(entry("endpoint/Role/Interfaces", "AttachInterfaces").conditions) == [
        "ArnEquals: ec2:Vpc = arn:<partition>:ec2:<region>:<account>:vpc/<vpc>"
    ]


def test_several_callers_are_one_entry(entry: Callable[[str, str], Entry]) -> None:
    callers = {name for name, environment in ENVIRONMENTS.items() if environment.callers.role_names}
    assert entry("endpoint/Caller-<role>", "InvokeEndpoint").environments == callers


def test_a_statement_without_a_reason_is_refused_by_name(
    statements: list[Statement], environments: list[Subject]
) -> None:
    changed = [replace(s, reason=None) if s.name.startswith("dev/endpoint/Role/Logs") else s for s in statements]
    with pytest.raises(StatementsError, match="dev/endpoint/Role/Logs, PolicyDocument: WriteLogs has no reason"):
        entries(changed, environments)


def test_a_statement_that_is_missing_where_its_case_holds_is_refused(
    statements: list[Statement], environments: list[Subject]
) -> None:
    changed = [s for s in statements if not s.name.startswith("china-instruct/endpoint/Artifacts, PolicyDocument: Wr")]
    with pytest.raises(StatementsError, match=r"said to be there .* with `data_capture`; wrong for china-instruct"):
        entries(changed, environments)


def test_a_value_that_differs_in_one_environment_is_refused(
    statements: list[Statement], environments: list[Subject]
) -> None:
    changed = [
        replace(s, resources=("arn:aws:s3:::other/*",)) if (s.environment, s.key) == ("dev", "ReadArtifacts") else s
        for s in statements
    ]
    with pytest.raises(StatementsError, match=r"ReadArtifacts, arn:<partition>:s3:::other/\* is said to be there"):
        entries(changed, environments)


def test_a_statement_that_allows_more_in_one_environment_is_refused(
    statements: list[Statement], environments: list[Subject]
) -> None:
    changed = [
        replace(s, actions=(*s.actions, "s3:PutObject")) if (s.environment, s.key) == ("prod", "ReadWeights") else s
        for s in statements
    ]
    with pytest.raises(StatementsError, match="prod/endpoint/Role/Artifact, PolicyDocument: ReadWeights differs"):
        entries(changed, environments)
