"""Stacks: they compose the constructs of `sagemaker_tgi` from a typed environment."""
