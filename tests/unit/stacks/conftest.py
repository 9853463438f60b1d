"""Policy statements of every environment and pipeline."""

from itertools import chain
from pathlib import Path, PurePosixPath

import aws_cdk as cdk
import pytest

from mistral7b.operate.permissions import StackPolicies, Statement, read_policies

Policies = dict[str, list[StackPolicies]]


def label(one: Statement) -> str:
    """For messages: `dev/endpoint/Role, PolicyDocument: ReadWeights`."""
    return f"{one.stack}/{one.path}, {one.policy}: {one.key}"


def unused_reasons(stack: StackPolicies) -> list[str]:
    """Reasons that no statement has, as `dev/endpoint/Role: ReadWeights`."""
    found = stack.statements()
    return [
        f"{stack.name}/{path}: {key}".replace("/:", ":")
        for path, reasons in stack.reasons.items()
        for key in reasons
        if not any(one.key == key and PurePosixPath(one.path).is_relative_to(path) for one in found)
    ]


@pytest.fixture(scope="session")
def read(apps: dict[str, cdk.App]) -> Policies:
    """The policies of every stack, by the app's folder."""
    return {folder: read_policies(Path(app.synth().directory)) for folder, app in apps.items()}


@pytest.fixture(scope="session")
def statements(read: Policies) -> list[Statement]:
    """Every statement of every environment."""
    stacks = [one for one in chain(*read.values()) if "/" in one.name]
    return [statement for one in stacks for statement in one.statements()]


@pytest.fixture(scope="session")
def of_pipelines(read: Policies) -> dict[str, list[Statement]]:
    """Every statement of each pipeline, by folder."""
    return {
        folder: [statement for one in stacks if "/" not in one.name for statement in one.statements()]
        for folder, stacks in read.items()
    }


@pytest.fixture(scope="session")
def all_statements(statements: list[Statement], of_pipelines: dict[str, list[Statement]]) -> list[Statement]:
    """Every statement of every template."""
    return [*statements, *chain(*of_pipelines.values())]
