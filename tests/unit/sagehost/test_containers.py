"""Containers that packages plug in: which one answers for an image."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncGenerator, Mapping
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mistral7b import container
from mistral7b.catalog.instances import instance_types
from sagehost import containers
from sagehost.containers import GROUP, Launch, NoContainerError, Response, Start, choose, installed, repository
from sagehost.validation.rules.functions import LOCAL_NVME

ROOT = Path(__file__).parents[3]
REGISTRY = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"
TGI: Start = container.start  # mypy holds it to the protocol


class Echo:
    """A container that repeats what it is sent."""

    async def invoke(self, headers: Mapping[str, str], body: bytes) -> Response:
        return 200, {}, self._parts(body)

    async def _parts(self, body: bytes) -> AsyncGenerator[bytes, None]:
        yield body


def echo(launch: Launch) -> Echo | None:
    return Echo()


def other(launch: Launch) -> None:
    return None


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (f"{REGISTRY}/echo:1.0", "echo"),
        (f"{REGISTRY}/team/echo", "team/echo"),
        (f"{REGISTRY}/team/echo:1.0@sha256:{'0' * 64}", "team/echo"),
        ("registry:5000/team/echo", "team/echo"),
        ("team/echo:1.0", "team/echo"),
        ("echo", "echo"),
        ("", ""),
    ],
)
def test_an_images_repository_is_its_name_without_registry_tag_and_digest(image: str, expected: str) -> None:
    assert repository(image) == expected


@pytest.mark.parametrize("patterns", [["team/echo"], ["team/*"], ["*", "team/e*"], ["team/*", "team/echo"]])
def test_of_several_patterns_that_match_the_longest_counts(patterns: list[str]) -> None:
    plugged_in = dict.fromkeys(patterns[:-1], lambda: other) | {patterns[-1]: lambda: echo}
    assert choose(plugged_in, f"{REGISTRY}/team/echo:1.0") is echo


def test_an_image_that_no_package_answers_for_is_refused_with_what_is_installed() -> None:
    with pytest.raises(NoContainerError) as refused:
        choose({"team/echo": lambda: echo}, f"{REGISTRY}/team/echo-2:1.0")
    assert str(refused.value) == (
        "No installed package answers for images of repository team/echo-2 "
        "(entry point group sagehost.containers; installed: team/echo)."
    )


def test_two_packages_for_one_repository_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [EntryPoint("echo", f"{module}:start", GROUP) for module in ("one", "two")]
    monkeypatch.setattr(containers, "entry_points", lambda group: points)
    with pytest.raises(ValueError, match=r"two packages have an entry point echo in the group sagehost\.containers"):
        installed()


def test_this_projects_container_is_tgis() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ((name, value),) = project["entry-points"][GROUP].items()
    assert name == "*tgi*"  # repositories of ones own, too
    assert EntryPoint(name, value, GROUP).load() is container.start


def test_families_with_local_nvme_are_those_of_the_catalogue() -> None:
    listed = {one.name.split(".")[1]: one.local_nvme for one in instance_types()}
    assert {family: family in LOCAL_NVME for family in listed} == listed
