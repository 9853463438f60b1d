"""The TGI 1.1.0 container, plugged into `sagehost` by its image: everything but the weights.

sagehost starts it by the entry point in pyproject.toml. Nothing here imports sagehost: `start` fits its protocol.
"""

from mistral7b.container.startup import start

__all__ = ["start"]
