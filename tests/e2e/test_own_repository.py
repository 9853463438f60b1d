"""A repository of one's own: made by `mistral7b init` from a release's wheels, deployed, and upgraded."""

import json
from pathlib import Path

import pytest

from tests.e2e.conftest import PROJECT, User
from tests.e2e.wheels import SOURCES, attempt, build_wheel, install, make_environment, run

NEXT = {"constructs/sagemaker_tgi/endpoint_config.py": ("=startup.to_seconds(),", "=startup.to_seconds() + 60,")}
"""What the next release changes: instances get a minute more to start."""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment with this release."""
    folder = tmp_path_factory.mktemp("a release")
    wheels = [build_wheel(name, folder) for name in SOURCES]
    return make_environment(folder / "venv", *wheels)


@pytest.fixture(scope="module")
def repository(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new repository, with its first templates accepted and the CDK CLI in place."""
    folder = tmp_path_factory.mktemp("of my own") / "my-llm"
    run(str(python.with_name("mistral7b")), "init", str(folder), "--account", "210987654321")
    (folder / "node_modules").symlink_to(PROJECT / "node_modules")
    accepted = run(str(python), "-m", "pytest", "--accept", folder=folder)
    assert "+ stack dev-endpoint: " in accepted
    assert "+ stack pipeline: " in accepted
    return folder


def test_its_files_are_few_and_pin_the_release(repository: Path) -> None:
    written = {file.relative_to(repository).as_posix() for file in repository.glob("*") if file.is_file()}
    expected = {"app.py", "cdk.json", "requirements.txt", "pytest.ini", "README.md", ".gitignore"}
    assert written == expected | {"package.json", "package-lock.json"}
    assert "\nmistral7b-sagemaker[pipeline,test]==0.1.0\n" in (repository / "requirements.txt").read_text()
    assert json.loads((repository / "package.json").read_text())["name"] == "my-llm"


def test_its_test_passes_once_accepted_and_shows_an_edit(python: Path, repository: Path) -> None:
    run(str(python), "-m", "pytest", folder=repository)
    file = repository / "environments" / "prod.yaml"
    before = file.read_text()
    file.write_text(before.replace("count: 2", "count: 3"))
    failed = attempt(str(python), "-m", "pytest", folder=repository)
    file.write_text(before)
    assert failed.returncode == 1
    assert "~ stack prod-endpoint\n    ~ AWS::SageMaker::EndpointConfig" in failed.stdout
    assert "To accept this: " in failed.stdout


def test_it_deploys_and_answers(python: Path, repository: Path, user: User) -> None:
    cdk, mistral7b = (str(python.with_name(name)) for name in ("cdk", "mistral7b"))
    account = {name: value for name, value in user.environ.items() if name.startswith("AWS_") or name == "HOME"}
    run(cdk, "deploy", "dev/*", "--require-approval", "never", folder=repository, **account)
    answer = run(mistral7b, "invoke", "dev", "What is Mistral 7B?", folder=repository, **account)
    run(cdk, "destroy", "dev/*", "--force", folder=repository, **account)
    assert answer.strip()


def test_an_upgrade_shows_its_cloudformation_difference_first(python: Path, repository: Path, tmp_path: Path) -> None:
    install(python, build_wheel("sagemaker-tgi", tmp_path, NEXT))
    failed = attempt(str(python), "-m", "pytest", folder=repository)
    assert failed.returncode == 1
    [difference, *_] = [line for line in failed.stdout.splitlines() if "HealthCheckTimeout" in line]
    before, after = difference.split(": ")[-1].split(" -> ")
    assert int(after) - int(before) == 60
