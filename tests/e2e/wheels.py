"""Our distributions as wheels, and environments that hold some of them and none of our sources."""

import re
import shutil
import site
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.e2e.conftest import PROJECT, succeeded

_FILES = ("pyproject.toml", "README.md", "LICENSE", "package.json", "package-lock.json")
SOURCES = {
    "mistral7b-sagemaker": (*_FILES, "mistral7b", "mistral7b_cli", "stacks"),
    "sagemaker-tgi": ("constructs",),
    "sagehost": ("sagehost",),
    "scaling-rules": ("scaling_rules",),
}
"""What of the repository each distribution is built from."""
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "-q")
_LEFT_OUT = shutil.ignore_patterns("*.egg-info", "__pycache__", "build")


def build_wheel(distribution: str, folder: Path, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """Builds a wheel without an index.

    Args:
        distribution: One of `SOURCES`.
        folder: Where the wheel goes; sources are copied there, too.
        changes: Text of files, by path in the repository, and what stands in its place.
    """
    source = folder / distribution
    source.mkdir(parents=True)
    for name in SOURCES[distribution]:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, source / name, ignore=_LEFT_OUT)
        else:
            shutil.copy(PROJECT / name, source / name)
    for name, (old, new) in (changes or {}).items():
        text = (source / name).read_text(encoding="utf-8")
        assert old in text
        (source / name).write_text(text.replace(old, new), encoding="utf-8")
    root = source if (source / "pyproject.toml").is_file() else source / SOURCES[distribution][0]
    before = set(folder.glob("*.whl"))
    run(*_PIP, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "-w", str(folder), str(root))
    [made] = set(folder.glob("*.whl")) - before
    return made


def make_environment(folder: Path, *wheels: Path) -> Path:
    """The Python of a virtual environment with the wheels, and the locked packages of others."""
    subprocess.run([sys.executable, "-m", "venv", "--symlinks", "--without-pip", str(folder)], check=True)
    python = folder / "bin" / "python"
    install(python, *wheels)
    # A folder that a .pth file names is searched, but .pth files in it are not read: those that lead to our sources.
    [packages] = (folder / "lib").glob("*/site-packages")
    (packages / "locked.pth").write_text("\n".join(site.getsitepackages()))
    return python


def install(python: Path, *wheels: Path) -> None:
    """Installs wheels, in place of other versions."""
    options = ["install", "--no-deps", "--no-index", "--no-compile", "--upgrade"]
    run(*_PIP, "--python", str(python), *options, *map(str, wheels))


def run(*command: str, folder: Path | None = None, **settings: str) -> str:
    """What a command prints that succeeds."""
    return succeeded(attempt(*command, folder=folder, **settings)).stdout


def attempt(*command: str, folder: Path | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    """Runs a command, in a folder without our packages, with the settings and a PATH as its environment."""
    return subprocess.run(
        command,
        cwd=folder or Path(sys.executable).parent,
        env={"PATH": "/usr/bin:/bin"} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def version(wheel: Path) -> str:
    """The version in a wheel's name."""
    return re.split("-", wheel.name)[1]
