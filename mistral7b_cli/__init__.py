"""The command `mistral7b`."""

import io
import os
import sys

from mistral7b.errors import INTERRUPTED, WRONG_INPUT

# What the commands need beside the client, by the file of requirements/ that holds it.
_PARTS = {"capacity": ("numpy", "scipy", "matplotlib"), "local": ("moto", "uvicorn", "starlette", "a2wsgi", "cfnlint")}


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
    """Makes standard streams that the shell has closed, or whose encoding lacks characters, safe to use.

    The next file that is opened has the number of a closed stream, and would get what is printed.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
    if sys.stderr is None:
        sys.stderr = os.fdopen(2, "w")
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
