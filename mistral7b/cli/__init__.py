"""The command `mistral7b`."""

from mistral7b.cli.app import main

__all__ = ["main"]
