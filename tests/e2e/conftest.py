"""One embedded AWS for all end-to-end tests, and the real CLIs with a user's settings."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.config import Config

from mistral7b.environment import load_environment
from mistral7b_stacks.app import define
from sagehost.accounts import credentials
from sagehost.lifecycle import State, running_server
from tests.e2e.identity_provider import KEYS
from tests.variants import FOLDERS, context, new_app

PROJECT = Path(__file__).parents[2]
UNVALIDATED_APP = Path(__file__).with_name("unvalidated_app.py")
BIN = Path(sys.executable).parent
TOOLS_ACCOUNT = "111111111111"
REGION = "us-east-1"
DEPLOY = ("--require-approval", "never", "--progress", "events")
GROUPS = {
    "test_accounts": "options",
    "test_every_option": "options",
    "test_removal": "options",
    "test_scaled_type": "options",
    "test_calling": "local",
    "test_github_workflow": "local",
    "test_local": "local",
    "test_constructs_wheel": "wheels",
    "test_own_repository": "wheels",
    "test_wheels": "wheels",
    "test_demo": "demo",
    "test_demo_of_own_files": "demo of own files",
    "test_own_copy": "copy",
    "test_guarded_update": "guarded",
    "test_pipeline": "pipeline",
}
"""Tests that run in one worker, by file, and by default those of `dev`: groups of a minute each."""


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in this hook, too
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Shares the end-to-end tests out among the workers; each worker has one server for all its groups."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.e2e)
            if item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(GROUPS.get(item.path.stem, "dev")))


@dataclass(frozen=True)
class User:
    """Someone at a workstation: an account's credentials, environment files, and a place for the cloud assembly."""

    url: str
    secret: str
    account: str
    files: Path
    scratch: Path

    def __post_init__(self) -> None:
        """Has the CDK run this project's app with its flags, and with nothing else that its cdk.json may say."""
        app = f"NODE_DISABLE_COMPILE_CACHE=1 python3 {shlex.quote(str(UNVALIDATED_APP))}"  # see tests/conftest.py
        settings = {"app": app, "context": context(), "versionReporting": False}
        (self.scratch / "cdk.json").write_text(json.dumps(settings))

    @property
    def environ(self) -> dict[str, str]:
        """The process environment after `eval "$(mistral7b local up)"`."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return inherited | credentials(self.account, REGION, secret=self.secret) | {"AWS_ENDPOINT_URL": self.url}

    def cdk(self, *arguments: str, extra: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Runs the CDK CLI, which runs app.py.

        A removal uses the cloud assembly of the deployment before it.
        """
        if arguments[0] == "destroy":
            return self._cdk_of_assembly(*arguments)
        app = ["-c", f"environments={self.files}", "-o", str(self._assembly)]
        if arguments[1:] and "/" in arguments[1]:  # no other environment's stacks are of use
            app += ["-c", f"only={arguments[1].partition('/')[0]}"]
        return self._run([str(BIN / "cdk"), *arguments, *app], extra or {})

    def cdk_of(self, environment: str, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Runs the CDK CLI for one environment, which this process synthesizes as app.py does.

        The CDK is loaded here already: that saves half of the time. `dev` is deployed by app.py, and so a difference
        between the two would show in the tests that deploy it again.
        """
        app = new_app(outdir=str(self._assembly))
        app.node.set_context("aws:cdk:enable-path-metadata", value=True)  # as the CDK CLI does
        unchecked = load_environment(self.files, environment).model_copy(update={"compliance_packs": []})
        define(app, {environment: unchecked})
        app.synth()
        return self._cdk_of_assembly(command, f"{environment}/*", *options)

    def mistral7b(self, *arguments: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
        """Runs our command, with `given` as its standard input."""
        return self._run([str(BIN / "mistral7b"), *arguments, "--environments", str(self.files)], {}, given)

    def try_to_deploy(self, environment: str) -> subprocess.CompletedProcess[str]:
        """`cdk deploy 'ENVIRONMENT/*'`."""
        return self.cdk_of(environment, "deploy", *DEPLOY)

    def deploy(self, environment: str) -> subprocess.CompletedProcess[str]:
        """`cdk deploy 'ENVIRONMENT/*'`, which has to succeed."""
        return succeeded(self.try_to_deploy(environment))

    def write(self, environment: str, values: Mapping[str, Any]) -> None:
        """Writes an environment file."""
        (self.files / f"{environment}.yaml").write_text(yaml.safe_dump(dict(values)), encoding="utf-8")

    @contextmanager
    def having(self, environment: str, values: Mapping[str, Any]) -> Iterator[None]:
        """Has an environment file for the length of a `with` block; every app sees all the files that there are."""
        self.write(environment, values)
        try:
            yield
        finally:
            (self.files / f"{environment}.yaml").unlink()

    def client(self, service: str, account: str | None = None, region: str = REGION) -> Any:
        """A boto3 client that retries nothing."""
        settings = credentials(account or self.account, region, secret=self.secret)
        return boto3.client(
            service,
            endpoint_url=self.url,
            region_name=region,
            aws_access_key_id=settings["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=settings["AWS_SECRET_ACCESS_KEY"],
            config=Config(retries={"total_max_attempts": 1}),
        )

    @property
    def _assembly(self) -> Path:
        return self.scratch / "cdk.out"

    def _cdk_of_assembly(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run([str(BIN / "cdk"), *arguments, "--app", str(self._assembly)], {})

    def _run(
        self, command: list[str], extra: Mapping[str, str], given: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.scratch,
            env=self.environ | dict(extra),
            input=given if given is not None else "",
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )


def said(result: subprocess.CompletedProcess[str]) -> str:
    """What a command printed, without its line breaks: the CDK wraps an error's text at the terminal's width."""
    return " ".join((result.stdout + result.stderr).split())


def succeeded(result: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """The result, if the command ended with status 0."""
    assert result.returncode == 0, f"{result.args}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[State]:
    """The embedded AWS, with the keys of an identity provider: GitHub's."""
    keys = tmp_path_factory.mktemp("oidc") / "keys.json"
    keys.write_text(json.dumps(KEYS))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SAGEHOST_OIDC_KEYS", str(keys))
        with running_server() as state:
            yield state


@pytest.fixture(scope="session")
def user(server: State, tmp_path_factory: pytest.TempPathFactory) -> User:
    """A user of the tools account, which is bootstrapped, with a copy of dev's typical files: fewer are quicker."""
    scratch = tmp_path_factory.mktemp("user")
    files = scratch / "environments"
    files.mkdir()
    for name in ("common.yaml", "dev.yaml"):
        shutil.copy(FOLDERS["typical"] / name, files)
    user = User(server.url, server.secret, TOOLS_ACCOUNT, files, scratch)
    succeeded(user.cdk("bootstrap", f"aws://{TOOLS_ACCOUNT}/{REGION}"))
    return user


@pytest.fixture(scope="session")
def dev(user: User) -> User:
    """The same user after the first deployment of dev."""
    succeeded(user.cdk("deploy", "dev/*", *DEPLOY))
    return user


@pytest.fixture
def session(user: User, monkeypatch: pytest.MonkeyPatch) -> boto3.Session:
    """A boto3 session of the user."""
    for name, value in user.environ.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return boto3.Session(region_name=REGION)
