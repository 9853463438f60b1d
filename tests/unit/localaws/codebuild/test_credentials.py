"""The endpoint of container credentials."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from localaws import codebuild, moto_app
from localaws.codebuild import builds, credentials, projects
from localaws.codebuild.credentials import Grant
from tests.unit.localaws.asgi import ask
from tests.unit.localaws.codebuild.conftest import REGION, Builder


@pytest.fixture
def grant(builder: Builder) -> Iterator[Grant]:
    project = projects.get(builder.id, REGION, builder.project("{}"))
    build = builds.start(builder.id, REGION, project, "test")
    yield credentials.grant(build)
    credentials.revoke(build)


def get(grant: Grant, token: str | None = None) -> tuple[int, Any]:
    """What the endpoint answers to a build, or to somebody with another token."""
    uri = grant.environment("http://localhost:1")["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
    headers = {"Authorization": grant.token if token is None else token}
    return ask(codebuild.routes(), "GET", urlsplit(uri).path, headers)


def test_a_build_gets_a_session_of_its_projects_role(grant: Grant, builder: Builder) -> None:
    status, answer = get(grant)
    assert status == 200
    assert answer["RoleArn"] == builder.role
    made = {**answer, "SessionToken": answer["Token"]}
    shown = moto_app.session_client("sts", REGION, made).get_caller_identity()["Arn"]
    assert shown == f"arn:aws:sts::{builder.id}:assumed-role/builds/AWSCodeBuild-{grant.build.uuid}"


@pytest.mark.parametrize("token", ["", "wrong", "Bearer x"])
def test_nobody_else_does(grant: Grant, token: str) -> None:
    status, answer = get(grant, token)
    assert (status, answer["code"]) == (403, "AccessDenied")


def test_a_build_that_has_ended_gets_none(grant: Grant) -> None:
    credentials.revoke(grant.build)
    assert get(grant)[0] == 403


def test_a_role_that_has_gone_is_named(grant: Grant, builder: Builder) -> None:
    builder.delete_role()
    status, answer = get(grant)
    assert status == 403
    assert builder.role in answer["message"]
