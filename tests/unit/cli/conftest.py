"""The command against endpoints in this process: real containers, without a control plane."""

import asyncio
import io
import os
import sys
from collections.abc import AsyncGenerator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mistral7b.capacity.request import Request
from mistral7b.container.pace import Pace, at_once
from mistral7b.container.router import TgiContainer
from mistral7b.environment import load_environment
from mistral7b.tgi import LauncherSettings, parse_environment
from mistral7b_cli import main
from sagehost.hosting.fleet import EndpointKey, Fleet, Instance, RunningEndpoint, RunningVariant
from tests.unit.runtime_server import serving

ACCOUNT, REGION = "123456789012", "us-east-1"

ENVIRONMENTS = {
    "dev": "",
    "base": "model: base\n",
    "small": "tgi:\n  MAX_INPUT_LENGTH: 150\n  MAX_TOTAL_TOKENS: 200\n",
    "busy": "tgi:\n  MAX_CONCURRENT_REQUESTS: 7\n",
    "slow": "",
    "halting": "",
    "stuck": "",
    "missing": "",
}


@dataclass(frozen=True)
class Result:
    """What a run of the command left."""

    status: int
    out: str
    err: str


def target(environment: str, model: str = "instruct") -> str:
    """The line that names where a command talks to."""
    return f"mistral-7b-{model}-{environment}, account {ACCOUNT}, {REGION}, embedded AWS\n"


def run_main(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> Result:
    """Runs the command in this process, as its script does."""
    monkeypatch.setattr("sys.argv", ["mistral7b", *arguments])
    ended: object = 0
    try:
        main()
    except SystemExit as end:
        ended = end.code or 0
    out, err = capsys.readouterr()
    return Result(ended if isinstance(ended, int) else 1, out, err)


Run = Callable[..., Result]


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of environment files."""
    folder = tmp_path_factory.mktemp("environments")
    for name, text in ENVIRONMENTS.items():
        (folder / f"{name}.yaml").write_text(f"region: {REGION}\n{text}")
    return folder


@pytest.fixture(scope="session")
def url(folder: Path) -> Iterator[str]:
    """Where the endpoints of all environments but `missing` answer."""
    fleet: Fleet = {}
    for name in ENVIRONMENTS.keys() - {"missing"}:
        _deploy(fleet, folder, name)
    with serving(fleet) as where:
        yield where


def _deploy(fleet: Fleet, folder: Path, name: str) -> None:
    env = load_environment(folder, name)
    settings = parse_environment(env.container_environment())
    paces: dict[str, Pace] = {"slow": _slowly, "stuck": _never, "halting": _no_further}
    if name == "busy":  # as busy as it can be, always
        settings = settings.model_copy(update={"max_concurrent_requests": 0})
    running = _running(settings, paces.get(name, at_once))
    fleet[EndpointKey(ACCOUNT, REGION, env.resolved_endpoint_name)] = running


def _running(settings: LauncherSettings, pace: Pace) -> RunningEndpoint:
    return RunningEndpoint((RunningVariant("AllTraffic", 1.0, (Instance(TgiContainer(settings, pace)),)),))


async def _slowly(request: Request, stream: bool) -> AsyncGenerator[int, None]:
    for there in range(1, request.output_tokens + 1):
        await asyncio.sleep(0.05)
        yield there


async def _no_further(request: Request, stream: bool) -> AsyncGenerator[int, None]:
    yield 4
    await asyncio.sleep(60)


async def _never(request: Request, stream: bool) -> AsyncGenerator[int, None]:
    await asyncio.sleep(60)
    yield 0


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """The environment variables of a workstation that uses the embedded AWS."""
    for variable in [name for name in os.environ if name.startswith(("AWS_", "MISTRAL7B_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("MISTRAL7B_ENVIRONMENTS", str(folder))


@pytest.fixture
def run(machine: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Runs `mistral7b` with these arguments in this process, with standard input from a pipe."""

    def run(*arguments: str, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "argv", ["mistral7b", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        try:
            main()
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0
        out, err = capfd.readouterr()
        return Result(status, out, err)

    return run
