"""Runs the CDK app for a command that reads its templates, without the CDK CLI."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mistral7b.errors import UserError
from mistral7b.project import cdk_context
from mistral7b_cli.options import project_here


@contextmanager
def synthesized(folder: Path, **context: str) -> Iterator[Path]:
    """The cloud assembly of these environment files, for the length of the block; AWS is not called.

    Warnings and findings go to standard error, as with `cdk synth`.

    Raises:
        UserError: the current directory is not a project's, or the app refused the files, and has said why.
    """
    project = project_here("app.py")
    with tempfile.TemporaryDirectory() as assembly:
        merged = cdk_context(project) | {"environments": str(folder.absolute()), **context}
        ours = {"CDK_OUTDIR": assembly, "CDK_CONTEXT_JSON": json.dumps(merged)}
        run = subprocess.run([sys.executable, "app.py"], check=False, cwd=project, env=os.environ | ours, stdout=2)
        if run.returncode:
            told = "app.py, the CDK app, has refused the files and said why on standard error"
            raise UserError(f"{told}\nfix: correct what it says", run.returncode)
        yield Path(assembly)
