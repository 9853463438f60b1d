"""Rules across fields: what the catalogue, the container's start-up and AWS would refuse later is refused here.

A rule names the fields it reads, so that it is left out where one of them is wrong already, and yields one `Finding`
for each thing it objects to. Each module holds the rules of one theme; importing it adds them to `RULES`.
docs/constraints.md lists them beside the constraints that they keep.
"""

from mistral7b.environment.rules import access, container, model, network, scaling
from mistral7b.environment.rules.registry import RULES, Finding, Rule, check

__all__ = ["RULES", "Finding", "Rule", "access", "check", "container", "model", "network", "scaling"]
