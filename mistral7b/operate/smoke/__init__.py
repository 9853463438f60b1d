"""Whether a deployed endpoint serves as its environment file says, and is what was deployed."""

from mistral7b.operate.smoke.checks import Check, NoPromptFitsError, SmokePlan, smoke_plan
from mistral7b.operate.smoke.deployed import DEPLOYED, compare
from mistral7b.operate.smoke.runner import REQUEST_TIMEOUT_S, TOTAL_S, run_checks
from mistral7b.operate.smoke.verdict import CheckResult

__all__ = [
    "DEPLOYED",
    "REQUEST_TIMEOUT_S",
    "TOTAL_S",
    "Check",
    "CheckResult",
    "NoPromptFitsError",
    "SmokePlan",
    "compare",
    "run_checks",
    "smoke_plan",
]
