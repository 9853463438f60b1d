"""The environment variables of a build: CodeBuild's own, and of the server's only what reaches package indexes."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from localaws.codebuild.builds import Build

_PASSED = re.compile(
    r"LANG|LC_\w+|TZ|TERM|TMPDIR|USER|LOGNAME"
    r"|(https?|no|all|ftp)_proxy|ssl_cert_(file|dir)|nix_ssl_cert_file|requests_ca_bundle|curl_ca_bundle"
    r"|node_extra_ca_certs|git_ssl_cainfo|pip_\w+|uv_\w+|npm_config_\w+"
    r"|(pyenv|asdf|mise|nvm|volta|fnm)_\w+",
    re.IGNORECASE,
)
"""Names of variables that are passed on: languages, proxies, certificates, package managers, version managers."""

_NOT_PASSED = re.compile(r"uv_(project\w*|python\w*|run\w*)|pip_(target|prefix|require_virtualenv)|pyenv_version", re.I)
"""But for those that say where the server's own packages are."""

_OWN_FILES = {
    "PIP_CONFIG_FILE": (".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf"),
    "UV_CONFIG_FILE": (".config/uv/uv.toml",),
    "NPM_CONFIG_USERCONFIG": (".npmrc",),
}
"""Variable -> where in the user's home the package manager's configuration may be: mirrors, certificates."""

_OWN_CACHES = {
    "PIP_CACHE_DIR": (".cache/pip", "Library/Caches/pip"),
    "UV_CACHE_DIR": (".cache/uv", "Library/Caches/uv"),
    "NPM_CONFIG_CACHE": (".npm",),
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT": (
        ".cache/aws/jsii/package-cache",
        "Library/Caches/com.amazonaws.jsii/package-cache",
    ),
}
"""Variable -> where in the user's home packages are that have been downloaded, or unpacked, once already."""

_LOCAL = "localhost,127.0.0.1,::1"


def inherited(own: Mapping[str, str], user_home: Path) -> dict[str, str]:
    """What a build is given of the environment `own` of the server, whose user has `user_home`."""
    passed = {name: value for name, value in own.items() if _PASSED.fullmatch(name) and not _NOT_PASSED.fullmatch(name)}
    present = {name.upper() for name in passed}
    for variable, places in (*_OWN_FILES.items(), *_OWN_CACHES.items()):
        found = next((user_home / place for place in places if (user_home / place).exists()), None)
        if found and variable not in present:
            passed[variable] = str(found)
    if present & {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}:  # this server is not behind the proxy
        for name in ("NO_PROXY", "no_proxy"):
            passed[name] = ",".join(filter(None, (passed.get(name), _LOCAL)))
    return passed


def search_path(own: Mapping[str, str], prefix: Path, first: Path) -> str:
    """PATH of a build: `first`, then the server's without what belongs to its virtual environment `prefix`."""
    folders = own.get("PATH", os.defpath).split(os.pathsep)
    kept = [one for one in folders if one and Path(one).is_absolute() and not Path(one).is_relative_to(prefix)]
    return os.pathsep.join([str(first), *kept])


def write_commands(folder: Path) -> None:
    """Put `python3` and `python` into a folder: the Python of which the server's virtual environment was made.

    They are commands and not links, through which Python would look for its library beside them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    interpreter = shlex.quote(getattr(sys, "_base_executable", sys.executable))
    for name in ("python3", "python"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec {interpreter} "$@"\n', encoding="utf-8")
        command.chmod(0o755)


def of_build(build: Build, source: Path, inputs: Mapping[str, Path]) -> dict[str, str]:
    """CodeBuild's own variables.

    https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html

    Args:
        build: the build.
        source: the folder of the primary source.
        inputs: the folders of the others, by the names of their artifacts.
    """
    return {
        "AWS_REGION": build.region,
        "AWS_DEFAULT_REGION": build.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "CODEBUILD_BUILD_ARN": build.arn,
        "CODEBUILD_BUILD_ID": build.id,
        "CODEBUILD_BUILD_IMAGE": build.project["environment"]["image"],
        "CODEBUILD_BUILD_NUMBER": str(build.number),
        "CODEBUILD_BUILD_SUCCEEDING": "1",
        "CODEBUILD_CI": "true",
        "CODEBUILD_INITIATOR": build.initiator,
        "CODEBUILD_KMS_KEY_ID": build.project["encryptionKey"],
        "CODEBUILD_LOG_PATH": build.log_stream,
        "CODEBUILD_SRC_DIR": str(source),
        "CODEBUILD_START_TIME": str(round(build.started.timestamp() * 1000)),
        **{f"CODEBUILD_SRC_DIR_{name}": str(folder) for name, folder in inputs.items()},
    }


def of_project(build: Build) -> Iterator[tuple[str, str]]:
    """The variables that the project sets."""
    for variable in build.project["environment"].get("environmentVariables", []):
        yield variable["name"], variable["value"]
