"""The command `mistral7b`."""

import io
import os
import sys

from mistral7b.errors import INTERRUPTED, WRONG_INPUT

# What the commands need beside the client, by the options of pip that install it.
_PARTS = {
    "-r requirements/capacity.txt": ("numpy", "scipy", "matplotlib"),
    "-r requirements/bench.txt": ("locust",),
    "-r requirements/local.txt": ("moto", "uvicorn", "starlette", "a2wsgi", "cfnlint", "yaml"),
    "--no-deps -e scaling_rules -e constructs -e sagehost": ("scaling_rules", "sagemaker_tgi", "sagehost"),
}


def main() -> None:
    """Runs the command. Ctrl-C ends it quietly with status 130, also while its parts are still being loaded."""
    try:
        _open_streams()
        from mistral7b_cli.app import run  # noqa: PLC0415 - loading takes long enough to be interrupted

        run()
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        if str(error.name).startswith(("mistral7b", "sagehost.", "scaling_rules.")):  # a mistake of ours
            raise
        part = next((name for name, packages in _PARTS.items() if package in packages), "-r requirements/client.txt")
        sys.stderr.write(f"mistral7b: this needs the package {package}\nfix: pip install {part}, or make setup\n")
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
