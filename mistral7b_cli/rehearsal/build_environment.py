"""What a build is given of this process's environment: only what reaches package indexes."""

import os
import re
import shlex
import sys
from pathlib import Path

_PASSED = re.compile(
    r"LANG|LC_\w+|TZ|TERM|USER|LOGNAME"
    r"|(https?|no|all|ftp)_proxy|ssl_cert_(file|dir)|nix_ssl_cert_file|requests_ca_bundle|curl_ca_bundle"
    r"|node_extra_ca_certs|git_ssl_cainfo|pip_\w+|uv_\w+|npm_config_\w+"
    r"|(pyenv|asdf|mise|nvm|volta|fnm)_\w+",
    re.IGNORECASE,
)
"""Names of variables that are passed on: languages, proxies, certificates, package managers, version managers."""

_NOT_PASSED = re.compile(r"uv_(project\w*|python\w*|run\w*)|pip_(target|prefix|require_virtualenv)|pyenv_version", re.I)
"""But for those that say where this process's own packages are."""

_OWN = {
    "PIP_CONFIG_FILE": (".config/pip/pip.conf", ".pip/pip.conf", "Library/Application Support/pip/pip.conf"),
    "UV_CONFIG_FILE": (".config/uv/uv.toml",),
    "NPM_CONFIG_USERCONFIG": (".npmrc",),
    "PIP_CACHE_DIR": (".cache/pip", "Library/Caches/pip"),
    "UV_CACHE_DIR": (".cache/uv", "Library/Caches/uv"),
    "NPM_CONFIG_CACHE": (".npm",),
    "JSII_RUNTIME_PACKAGE_CACHE_ROOT": (
        ".cache/aws/jsii/package-cache",
        "Library/Caches/com.amazonaws.jsii/package-cache",
    ),
}
"""Variable -> where in the user's home settings of a package manager (mirrors, certificates) or packages may be."""

_LOCAL = "localhost,127.0.0.1,::1"


def inherited() -> dict[str, str]:
    """The variables that are passed on."""
    own = os.environ.items()
    passed = {name: value for name, value in own if _PASSED.fullmatch(name) and not _NOT_PASSED.fullmatch(name)}
    present = {name.upper() for name in passed}
    for variable, places in _OWN.items():
        found = next((Path.home() / place for place in places if (Path.home() / place).exists()), None)
        if found and variable not in present:
            passed[variable] = str(found)
    if present & {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"}:  # the embedded AWS is not behind the proxy
        for name in ("NO_PROXY", "no_proxy"):
            passed[name] = ",".join(filter(None, (passed.get(name), _LOCAL)))
    return passed


def search_path(first: Path) -> str:
    """PATH of a build: `first`, then this process's without what belongs to its virtual environment."""
    folders = [one for one in os.environ.get("PATH", os.defpath).split(os.pathsep) if Path(one).is_absolute()]
    return os.pathsep.join([str(first), *(one for one in folders if not Path(one).is_relative_to(sys.prefix))])


def write_python(folder: Path) -> None:
    """Puts `python3` and `python` into a folder: the Python of which this virtual environment was made.

    They are commands and not links, through which Python would look for its library beside them.
    """
    folder.mkdir()
    interpreter = shlex.quote(getattr(sys, "_base_executable", sys.executable))
    for name in ("python3", "python"):
        command = folder / name
        command.write_text(f'#!/bin/sh\nexec {interpreter} "$@"\n', encoding="utf-8")
        command.chmod(0o755)
