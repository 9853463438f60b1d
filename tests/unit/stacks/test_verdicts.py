"""Checks look again only at what has changed since they passed it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from mistral7b_stacks import checks, verdicts
from mistral7b_stacks.checks import Check, InvalidContextError, remember_verdicts


@dataclass
class Project:
    """A project of two environments, and a check that dislikes some types of parameters."""

    folder: Path
    value: str = "one"
    region: str = "us-east-1"
    stack: str = "endpoint"
    disliked: str = "nothing"
    severity: str = "error"
    stack_acknowledges: dict[str, str] = field(default_factory=dict)
    stage_acknowledges: dict[str, str] = field(default_factory=dict)
    package: str = "cdk-nag"
    runs: int = 0

    @property
    def remembered(self) -> Path:
        """Where verdicts are remembered."""
        return self.folder / "validated"

    def synth(self) -> list[str]:
        """Stacks that the check looked at."""
        self.runs += 1
        app = cdk.App(outdir=str(self.folder / f"out-{self.runs}"), builtin_cloud_formation_validation=False)
        for name, value, region in (("dev", "kept", "us-east-1"), ("prod", self.value, self.region)):
            stage = cdk.Stage(app, name, env=cdk.Environment(region=region))
            stack = cdk.Stack(stage, self.stack if name == "prod" else "endpoint", stack_name=name)
            cdk.CfnParameter(stack, "Parameter", default=value)
            if name == "prod":
                for construct, reasons in ((stack, self.stack_acknowledges), (stage, self.stage_acknowledges)):
                    for finding, reason in reasons.items():
                        cdk.Validations.of(construct).acknowledge(cdk.Acknowledgment(id=finding, reason=reason))
        looked_at: list[str] = []

        def find(stacks: Sequence[cdk.PolicyValidationStack]) -> cdk.PolicyValidationPluginReport:
            looked_at.extend(stack.stack_construct_path for stack in stacks)
            found = [
                self._violation(stack) for stack in stacks if self.disliked in Path(stack.template_path).read_text()
            ]
            return cdk.PolicyValidationPluginReport(success=not found or self.severity == "warning", violations=found)

        cdk.Validations.of(app).add_plugins(Check(app, "Values", self.package, find))
        known = remember_verdicts(app, self.remembered)
        assembly = app.synth()
        if known:
            known.keep(Path(assembly.directory) / "validation-report.json")
        return sorted(looked_at)

    def _violation(self, stack: cdk.PolicyValidationStack) -> cdk.PolicyViolation:
        resource = cdk.PolicyViolatingResource(construct_path=stack.stack_construct_path, locations=[])
        return cdk.PolicyViolation(
            rule_name="Disliked", description="no", severity=self.severity, violating_resources=[resource]
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("CI", "CODEBUILD_BUILD_ID"):
        monkeypatch.delenv(name, raising=False)
    return Project(tmp_path)


def test_an_unchanged_stack_is_checked_once(project: Project) -> None:
    assert project.synth() == ["dev/endpoint", "prod/endpoint"]
    assert project.synth() == []


@pytest.mark.parametrize(
    "change",
    [
        {"value": "two"},
        {"region": "us-west-2"},
        {"stack": "other"},
        {"stack_acknowledges": {"Values::Disliked": "as intended"}},
        {"stage_acknowledges": {"Values::Disliked": "as intended"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_changed_environment_is_checked_again_and_no_other(project: Project, change: dict[str, Any]) -> None:
    project.synth()
    for name, value in change.items():
        setattr(project, name, value)
    assert project.synth() == [f"prod/{project.stack}"]
    assert project.synth() == []


def test_everything_is_checked_again_by_other_rules(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.synth()
    project.package = "jsii"  # which has another version
    assert len(project.synth()) == 2
    monkeypatch.setattr(checks, "_SOURCES", ["of another release"])
    assert len(project.synth()) == 2


def test_a_finding_is_not_remembered(project: Project) -> None:
    project.value = project.disliked = "bad"
    for _ in range(2):
        with pytest.raises(RuntimeError, match="Disliked"):
            project.synth()
    assert not project.remembered.exists()


def test_a_warning_is_not_remembered_but_what_passed_beside_it_is(project: Project) -> None:
    project.value = project.disliked = "bad"
    project.severity = "warning"
    project.synth()
    assert project.synth() == ["prod/endpoint"]


@pytest.mark.parametrize("place", ["stack_acknowledges", "stage_acknowledges"])
def test_an_acknowledged_finding_is_remembered_until_it_is_not_acknowledged(project: Project, place: str) -> None:
    project.value = project.disliked = "bad"
    setattr(project, place, {"Values::Disliked": "as intended"})
    project.synth()
    assert project.synth() == []
    setattr(project, place, {})
    with pytest.raises(RuntimeError, match="Disliked"):
        project.synth()


def test_an_unusable_cache_is_ignored(project: Project) -> None:
    project.remembered.write_text("a file in place of the folder")
    assert project.synth() == project.synth() == ["dev/endpoint", "prod/endpoint"]


def test_a_full_cache_keeps_only_verdicts_of_the_last_synth(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "KEPT", 3)
    for project.value in ("one", "two", "three"):
        project.synth()
    assert len(list(project.remembered.iterdir())) == 2
    assert project.synth() == []
    project.value = "one"
    assert project.synth() == ["prod/endpoint"]


@pytest.mark.parametrize(
    ("name", "value", "remembers"),
    [("CI", "true", False), ("CI", "1", False), ("CI", "false", True), ("CODEBUILD_BUILD_ID", "project:1", False)],
)
def test_continuous_integration_checks_everything(
    project: Project, monkeypatch: pytest.MonkeyPatch, name: str, value: str, remembers: bool
) -> None:
    monkeypatch.setenv(name, value)
    project.synth()
    assert (project.synth() == []) == remembers
    assert project.remembered.exists() == remembers


def test_full_validation_ignores_verdicts(project: Project) -> None:
    assert remember_verdicts(cdk.App(context={"validation": "full"}), project.remembered) is None


def test_another_value_of_validation_is_refused(project: Project) -> None:
    with pytest.raises(InvalidContextError, match=r"validation=none: the only value is full\. fix: "):
        remember_verdicts(cdk.App(context={"validation": "none"}), project.remembered)
