"""A repository of one's own: made by `mistral7b init` from a release's wheels, tested, deployed, and upgraded."""

import json
import re
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, User, succeeded
from tests.e2e.wheels import SOURCES, Environment, build_release

NEXT = {"constructs/sagemaker_tgi/endpoint_config.py": ("=startup.to_seconds(),", "=startup.to_seconds() + 60,")}
"""What the next release changes: instances get a minute more to start."""
TEST = ("python", "-m", "pytest")


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with this release."""
    folder = tmp_path_factory.mktemp("a release")
    return Environment.create(folder, *(build_release(name, folder) for name in SOURCES))


@pytest.fixture(scope="module")
def repository(release: Environment, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new repository, with its first templates accepted and the CDK CLI in place."""
    folder = tmp_path_factory.mktemp("of my own") / "my-llm"
    succeeded(release.run("mistral7b", "init", str(folder), "--account", "210987654321"))
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    accepted = succeeded(release.run(*TEST, "--accept", folder=folder)).stdout
    assert "+ stack dev-endpoint" in accepted
    assert "+ stack pipeline" in accepted
    return folder


def test_its_files_are_few_and_pin_the_release(repository: Path) -> None:
    written = {file.name for file in repository.glob("*") if file.is_file()}
    assert written == {"app.py", "cdk.json", "requirements.txt", "pytest.ini", "README.md", ".gitignore"} | {
        "package.json",
        "package-lock.json",
    }
    [version] = re.findall('^version = "(.+)"', (PROJECT / "pyproject.toml").read_text(), re.MULTILINE)
    assert f"\nmistral7b-sagemaker[pipeline,test]=={version}\n" in (repository / "requirements.txt").read_text()
    assert json.loads((repository / "package.json").read_text())["name"] == "my-llm"


def test_its_test_passes_once_accepted_and_shows_an_edit(release: Environment, repository: Path) -> None:
    succeeded(release.run(*TEST, folder=repository))
    file = repository / "environments" / "prod.yaml"
    before = file.read_text()
    file.write_text(before.replace("count: 2", "count: 3"))
    failed = release.run(*TEST, folder=repository)
    file.write_text(before)
    assert failed.returncode == 1
    assert "~ stack prod-endpoint\n    ~ AWS::SageMaker::EndpointConfig" in failed.stdout
    assert "To accept this: " in failed.stdout


def test_it_deploys_and_answers(release: Environment, repository: Path, user: User) -> None:
    account = {name: value for name, value in user.environ.items() if name.startswith("AWS_")}
    for command in (
        ("cdk", "deploy", "dev/*", "--require-approval", "never"),
        ("mistral7b", "invoke", "dev", "What is Mistral 7B?"),
        ("cdk", "destroy", "dev/*", "--force", "--app", "cdk.out"),
    ):
        result = succeeded(release.run(*command, folder=repository, **account))
        assert command[0] == "cdk" or result.stdout.strip()


def test_an_upgrade_shows_its_cloudformation_difference_before_anything_is_deployed(
    release: Environment, repository: Path, tmp_path: Path
) -> None:
    release.install(build_release("sagemaker-tgi", tmp_path, NEXT))
    failed = release.run(*TEST, folder=repository)
    assert failed.returncode == 1
    difference = next(line for line in failed.stdout.splitlines() if "HealthCheckTimeout" in line)
    before, after = difference.split(": ")[-1].split(" -> ")
    assert int(after) - int(before) == 60
