"""Whether a deployed endpoint serves as its environment file says, told with `sagemaker:InvokeEndpoint` alone."""

from mistral7b.operate.smoke.checks import Check, NoPromptFitsError, SmokePlan, smoke_plan
from mistral7b.operate.smoke.runner import REQUEST_TIMEOUT_S, TOTAL_S, run_checks
from mistral7b.operate.smoke.verdict import CheckResult

__all__ = [
    "REQUEST_TIMEOUT_S",
    "TOTAL_S",
    "Check",
    "CheckResult",
    "NoPromptFitsError",
    "SmokePlan",
    "run_checks",
    "smoke_plan",
]
