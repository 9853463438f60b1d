"""The command `mistral7b`."""

import io
import os
import sys

from mistral7b.errors import INTERRUPTED, WRONG_INPUT

# What the commands need beside the client, by the file of requirements/ that holds it.
_PARTS = {
    "capacity": ("numpy", "scipy", "matplotlib"),
    "bench": ("locust",),
    "local": ("moto", "uvicorn", "starlette", "a2wsgi", "cfnlint"),
}


def main() -> None:
    """Runs the command. Ctrl-C ends it quietly with status 130, also while its parts are still being loaded."""
    try:
        _open_streams()
        from mistral7b_cli.app import run  # noqa: PLC0415 - loading takes long enough to be interrupted

        run()
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        if package in ("mistral7b", "mistral7b_cli", "sagehost"):  # a mistake of ours
            raise
        part = next((name for name, packages in _PARTS.items() if package in packages), "client")
        sys.stderr.write(f"mistral7b: this needs the package {package}\n")
        sys.stderr.write(f"fix: pip install -r requirements/{part}.txt, or make setup for everything\n")
        sys.exit(WRONG_INPUT)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def _open_streams() -> None:
    """Opens what the shell has closed, whose number the next file would have; escapes what the encoding lacks."""
    while (number := os.open(os.devnull, os.O_RDWR)) < 3:
        os.set_inheritable(number, True)
    os.close(number)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
