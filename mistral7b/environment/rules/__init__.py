"""Rules across fields: what the catalogue, the container's start-up and AWS would refuse later is refused here.

A rule names the fields that it reads, and is left out where one of them is wrong already. It yields a `Finding` for
each thing that it objects to. Each module has the rules of one theme; importing it adds them to `RULES`.
docs/constraints.md lists them beside the constraints that they keep.
"""

from mistral7b.environment.rules import access, container, model, network, scaling
from mistral7b.environment.rules.registry import RULES, check

__all__ = ["RULES", "access", "check", "container", "model", "network", "scaling"]
