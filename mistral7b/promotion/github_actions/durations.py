"""How long jobs may take."""

import math

from mistral7b.promotion.promotion import PromotedEnvironment

BUILD_MINUTES = 60
REVIEW_MINUTES = 20
APPROVED_MINUTES = 5
"""Of the job that stands for an approval. Waiting for it does not count: GitHub gives it 30 days."""
SMOKE_MINUTES = 5
GATE_MINUTES = 15
_SETUP_AND_NETWORK_MINUTES = 30
LONGEST_JOB_MINUTES = 360
"""GitHub, "Usage limits": of a job on a runner of GitHub's own."""
CHAINED_SESSION_SECONDS = 3600
"""IAM user guide, "Role chaining": the longest session of a role that was assumed with another's credentials."""


def deploy_minutes(promoted: PromotedEnvironment) -> int:
    """Time of the job that deploys: an update that fails at its end and is rolled back, then smoke and gates."""
    timeouts = promoted.environment.timeouts
    start = math.ceil((timeouts.model_download_seconds + timeouts.container_startup_seconds) / 60)
    checks = SMOKE_MINUTES + GATE_MINUTES * len(promoted.gates)
    return min(LONGEST_JOB_MINUTES, _SETUP_AND_NETWORK_MINUTES + 2 * start + checks)


def session_seconds(promoted: PromotedEnvironment) -> int:
    """Session of the role that deploys: as long as its job. IAM takes 3600 to 43200 s (Role, MaxSessionDuration)."""
    return max(3600, 60 * deploy_minutes(promoted))
