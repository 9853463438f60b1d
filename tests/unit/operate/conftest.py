"""Endpoints in this process whose containers are right or, each in its own way, wrong."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from mistral7b.catalog.models import ModelName
from mistral7b.container.pace import Pace, at_once
from mistral7b.container.router import Response, TgiContainer
from mistral7b.endpoint.client import NO_RETRIES, EndpointClient
from mistral7b.environment import Environment
from mistral7b.operate.smoke.answers import CheckResult
from mistral7b.operate.smoke.checks import smoke_plan
from mistral7b.operate.smoke.runner import run_checks
from sagehost.hosting.fleet import EndpointKey, Fleet, Instance, RunningEndpoint, RunningVariant
from tests.unit.runtime_server import serving

ACCOUNT, REGION = "123456789012", "us-east-1"

NAMES = [
    "answer",
    "stream",
    "empty inputs",
    "temperature 0",
    "MAX_INPUT_LENGTH",
    "MAX_TOTAL_TOKENS",
    "MAX_STOP_SEQUENCES",
    "MAX_TOP_N_TOKENS",
    "MAX_BEST_OF",
    "prompt too long",
]
"""The checks, in their order."""


class WrongContainer(TgiContainer):
    """A container whose answers, or the parts of its streams, are changed on their way out; None drops a part."""

    answer: Callable[[bytes], bytes]
    part: Callable[[bytes], bytes | None]
    requests = 0

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        """Answers as the container does, but for the change."""
        self.requests += 1
        response = await super().invoke(headers, body)
        if isinstance(response.body, bytes):
            return response._replace(body=self.answer(response.body))
        return response._replace(body=self._changed(response.body))

    async def _changed(self, parts: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        async for part in parts:
            if (changed := self.part(part)) is not None:
                yield changed


@dataclass(frozen=True)
class Deployed:
    """An endpoint, and what came of the checks of an environment on it."""

    container: WrongContainer
    results: list[CheckResult]

    @property
    def failed(self) -> dict[str, str]:
        """What the failed checks got."""
        return {result.name: result.got for result in self.results if not result.passed}


@dataclass(frozen=True)
class Site:
    """Where endpoints are deployed."""

    url: str
    fleet: Fleet
    numbers: Iterator[int]


@dataclass(frozen=True)
class Smoke:
    """Deploys an endpoint and makes the checks of an environment on it."""

    site: Site
    session: boto3.Session

    def __call__(
        self,
        file: dict[str, Any] | None = None,
        deployed: dict[str, Any] | None = None,
        *,
        model: ModelName = "instruct",
        pace: Pace = at_once,
        answer: Callable[[bytes], bytes] = bytes,
        part: Callable[[bytes], bytes | None] = bytes,
        overloaded: bool = False,
        **limits: float,
    ) -> Deployed:
        """The environment has `file` as its `tgi:`, and the endpoint `deployed`, where that is given, instead."""
        name = f"e{next(self.site.numbers)}"
        env = environment(file or {}, model, name)
        settings = environment((file or {}) if deployed is None else deployed, model).launcher_settings()
        if overloaded:
            settings = settings.model_copy(update={"max_concurrent_requests": 0})
        container = WrongContainer(settings, pace)
        container.answer, container.part = answer, part
        variant = RunningVariant("AllTraffic", 1.0, (Instance(container),))
        key = EndpointKey(ACCOUNT, REGION, env.resolved_endpoint_name)
        self.site.fleet[key] = RunningEndpoint((variant,))
        return Deployed(container, self.checks(env, **limits))

    def checks(self, env: Environment, **limits: float) -> list[CheckResult]:
        """The results of an environment's checks, wherever its endpoint is."""
        with EndpointClient(env.resolved_endpoint_name, REGION, session=self.session, retry=NO_RETRIES) as client:
            return list(run_checks(client, smoke_plan(env).checks, **limits))


def environment(tgi: dict[str, Any], model: ModelName = "instruct", name: str = "dev", **fields: Any) -> Environment:
    """An environment with these TGI settings."""
    return Environment.model_validate({"name": name, "region": REGION, "model": model, "tgi": tgi, **fields})


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    """A server for the endpoints."""
    fleet: Fleet = {}
    with serving(fleet) as url:
        yield Site(url, fleet, itertools.count())


@pytest.fixture(scope="session")
def session() -> boto3.Session:
    """One session for all clients: it reads botocore's data once."""
    return boto3.Session(aws_access_key_id="testing", aws_secret_access_key="testing")


@pytest.fixture
def smoke(site: Site, session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> Smoke:
    """Makes the checks on an endpoint of this process, with none of this machine's settings."""
    for variable in ("AWS_PROFILE", "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", "AWS_CA_BUNDLE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("AWS_ENDPOINT_URL", site.url)
    return Smoke(site, session)
