"""Buildspecs of version 0.2: https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html

What is not known, or known and not emulated, fails the build by name, as a mistake in the file does.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

PHASES = ("install", "pre_build", "build", "post_build")
"""The phases that have commands, in order."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARTIFACT = re.compile(r"[A-Za-z0-9_-]{1,100}")
_SHELLS = {"sh": "/bin/sh", "/bin/sh": "/bin/sh", "bash": "/bin/bash"}


class BuildspecError(Exception):
    """The buildspec is wrong; the text says where and why."""


class _Loader(yaml.BaseLoader):
    """Makes texts, lists and mappings alone."""

    def construct_scalar(self, node: yaml.ScalarNode) -> str:
        """A text, with whole characters for the halves that JSON writes some of them in, which YAML leaves apart."""
        text: str = super().construct_scalar(node)
        return text.encode("utf-16", "surrogatepass").decode("utf-16")


@dataclass(frozen=True)
class PhaseSpec:
    """The commands of a phase."""

    commands: tuple[str, ...] = ()
    finally_: tuple[str, ...] = ()
    runtimes: Mapping[str, str] = field(default_factory=dict)
    """runtime-versions of the install phase."""


@dataclass(frozen=True)
class Artifact:
    """Which files go into an artifact."""

    files: tuple[str, ...]
    base: str = "."


@dataclass(frozen=True)
class Buildspec:
    """A buildspec."""

    phases: Mapping[str, PhaseSpec]
    shell: str = "/bin/sh"
    variables: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    artifact: Artifact | None = None
    secondary: Mapping[str, Artifact] = field(default_factory=dict)
    cache: tuple[str, ...] = ()


def parse(text: str) -> Buildspec:
    """A buildspec from its YAML, of which JSON is a part.

    Raises:
        BuildspecError: it is wrong, or asks for something that is not emulated.
    """
    try:
        loaded = yaml.load(text, Loader=_Loader)
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        raise BuildspecError(" ".join(str(error).split())) from error
    spec = _mapping(loaded, "buildspec", ("version", "env", "phases", "artifacts", "cache"))
    if spec.get("version") != "0.2":
        raise BuildspecError(f"version is {spec.get('version')}, and only 0.2 is emulated")
    if "phases" not in spec:
        raise BuildspecError("phases is missing")
    phases = {name: _phase(name, one) for name, one in _mapping(spec["phases"], "phases", PHASES).items()}
    env = _mapping(spec.get("env", {}), "env", ("shell", "variables", "exported-variables"))
    if env.get("shell", "sh") not in _SHELLS:
        raise BuildspecError(f"env/shell {env['shell']} is not emulated; {', '.join(_SHELLS)} are")
    artifact, secondary = _artifacts(spec["artifacts"]) if "artifacts" in spec else (None, {})
    cache = _mapping(spec.get("cache", {}), "cache", ("paths",))
    # absolute ones are in the image: there is none here, and this machine's own caches stay anyway
    cached = [path for path in _texts(cache, "cache", "paths") if not path.startswith("/")]
    return Buildspec(
        phases=phases,
        shell=_SHELLS[env.get("shell", "sh")],
        variables=_variables(env.get("variables", {})),
        exported=tuple(_variable(name, "env/exported-variables") for name in _texts(env, "env", "exported-variables")),
        artifact=artifact,
        secondary=secondary,
        cache=tuple(_relative(path, "cache/paths") for path in cached),
    )


def _phase(name: str, value: Any) -> PhaseSpec:
    place = f"phases/{name}"
    runtimes = ("runtime-versions",) if name == "install" else ()
    phase = _mapping(value, place, ("commands", "finally", *runtimes))
    versions = phase.get("runtime-versions", {})
    if not isinstance(versions, dict) or not all(isinstance(one, str) for one in versions.values()):
        raise BuildspecError(f"{place}/runtime-versions has to be a mapping of runtimes to versions")
    commands = tuple(_texts(phase, place, "commands"))
    if not commands and not versions:
        raise BuildspecError(f"{place}/commands is missing")
    return PhaseSpec(commands, tuple(_texts(phase, place, "finally")), versions)


def _artifacts(value: Any) -> tuple[Artifact | None, dict[str, Artifact]]:
    """The primary artifact, which secondary ones replace, and those."""
    members = ("files", "base-directory", "name", "discard-paths", "secondary-artifacts")
    given = _mapping(value, "artifacts", members)
    secondary = given.get("secondary-artifacts", {})
    if not isinstance(secondary, dict):
        raise BuildspecError("artifacts/secondary-artifacts has to be a mapping")
    for name in secondary:
        if not _ARTIFACT.fullmatch(name):
            raise BuildspecError(f"artifacts/secondary-artifacts: {name!r} is no identifier of an artifact")
    made = {
        name: _artifact(_mapping(one, f"artifacts/secondary-artifacts/{name}", members[:-1]))
        for name, one in secondary.items()
    }
    return (None if made and "files" not in given else _artifact(given)), made


def _artifact(given: Mapping[str, Any]) -> Artifact:
    """An artifact. Its name counts only where CodeBuild uploads it by itself, which no pipeline asks of it."""
    if given.get("discard-paths", "no") not in ("no", "false"):
        raise BuildspecError("artifacts/discard-paths is not emulated")
    files = _texts(given, "artifacts", "files")
    if not files:
        raise BuildspecError("artifacts/files is missing")
    base = given.get("base-directory", ".")
    if not isinstance(base, str):
        raise BuildspecError("artifacts/base-directory has to be a text")
    return Artifact(tuple(_relative(one, "artifacts/files") for one in files), base)


def _variables(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(one, str) for one in value.values()):
        raise BuildspecError("env/variables has to be a mapping of names to texts")
    return {_variable(name, "env/variables"): text for name, text in value.items()}


def _variable(name: str, place: str) -> str:
    if not _NAME.fullmatch(name):
        raise BuildspecError(f"{place}: {name!r} is no name of a variable")
    return name


def _relative(path: str, place: str) -> str:
    if path.startswith(("/", "~")) or ".." in path.split("/"):
        raise BuildspecError(f"{place}: {path} leads out of the source's folder, which is not emulated")
    return path


def _mapping(value: Any, place: str, known: tuple[str, ...]) -> dict[str, Any]:
    """A mapping with none but known keys."""
    if value == "":  # an empty value in YAML
        value = {}
    if not isinstance(value, dict):
        raise BuildspecError(f"{place} has to be a mapping")
    for key in value:
        if key not in known:
            raise BuildspecError(f"{place}/{key} is not emulated; {', '.join(known)} are")
    return value


def _texts(given: Mapping[str, Any], place: str, key: str) -> list[str]:
    """A list of texts, which may be a single text."""
    value = given.get(key, [])
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(one, str) and one and "\0" not in one for one in texts):
        raise BuildspecError(f"{place}/{key} has to be a list of texts, none of them empty")
    return texts
