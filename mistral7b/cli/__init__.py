"""The command `mistral7b`."""

import sys


def main() -> None:
    """Runs the command. Ctrl-C ends it quietly with status 130, also while its parts are still being loaded."""
    try:
        from mistral7b.cli.app import run  # noqa: PLC0415 - loading takes long enough to be interrupted

        run()
    except KeyboardInterrupt:
        sys.exit(130)
