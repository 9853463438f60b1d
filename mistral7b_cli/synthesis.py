"""Runs the CDK app for a command that reads its templates, without the CDK CLI."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from mistral7b.project import cdk_context
from mistral7b_cli.failure import CommandError


@contextmanager
def synthesized(folder: Path, **context: str) -> Iterator[Path]:
    """The cloud assembly of these environment files, for the length of the block; AWS is not called.

    Warnings and findings go to standard error, as with `cdk synth`.

    Raises:
        CommandError: the current directory is not a project's.
        typer.Exit: the app refused the files, and has said why.
    """
    project = Path.cwd()
    if not (project / "app.py").is_file():
        raise CommandError(f"there is no app.py in {project}\nfix: run mistral7b in the project's folder", 2)
    with tempfile.TemporaryDirectory() as assembly:
        merged = cdk_context(project) | {"environments": str(folder.absolute()), **context}
        ours = {"CDK_OUTDIR": assembly, "CDK_CONTEXT_JSON": json.dumps(merged)}
        run = subprocess.run([sys.executable, "app.py"], check=False, cwd=project, env=os.environ | ours, stdout=2)
        if run.returncode:
            raise typer.Exit(run.returncode)
        yield Path(assembly)
