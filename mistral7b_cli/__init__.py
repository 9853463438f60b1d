"""The command `mistral7b`."""

import sys

# What the commands need beside the client, by the file of requirements/ that holds it.
_PARTS = {"capacity": ("numpy", "scipy", "matplotlib"), "local": ("moto", "uvicorn", "starlette", "a2wsgi", "cfnlint")}


def main() -> None:
    """Runs the command. Ctrl-C ends it quietly with status 130, also while its parts are still being loaded."""
    try:
        from mistral7b_cli.app import run  # noqa: PLC0415 - loading takes long enough to be interrupted

        run()
    except ModuleNotFoundError as error:
        package = str(error.name).split(".")[0]
        if package in ("mistral7b", "mistral7b_cli", "sagehost"):  # a mistake of ours
            raise
        part = next((name for name, packages in _PARTS.items() if package in packages), "client")
        sys.stderr.write(f"mistral7b: this needs the package {package}\n")
        sys.stderr.write(f"fix: pip install -r requirements/{part}.txt, or make setup for everything\n")
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
