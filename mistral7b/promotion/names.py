"""Names of the pipeline's own things, which stacks, commands and the environments' accounts share."""

import re

PIPELINE_NAME = "mistral-7b-pipeline"
PIPELINE_STACK_NAME = "mistral-7b-pipeline"
PIPELINE_ID = "pipeline"
"""Id of the pipeline's stack in the app: `cdk deploy pipeline`."""
CONNECTION_NAME = "mistral-7b"
"""Name of the connection that the pipeline's stack makes. CodeConnections takes up to 32 characters."""

SOURCE_STAGE = "Source"
BUILD_STAGE = "Build"
UPDATE_STAGE = "UpdatePipeline"
OWN_STAGES = (SOURCE_STAGE, BUILD_STAGE, UPDATE_STAGE)
"""The stages before those of the environments, which bear the environments' names."""

REVIEW_ACTION = "Review"
SECURITY_APPROVAL = "SecurityChanges"
SMOKE_ACTION = "Smoke"

_PRODUCTION = re.compile(r"(^|-)(prod|production|live)(-|$)")


def is_production(environment: str) -> bool:
    """Whether an environment is production, by its name: one of its words is prod, production or live."""
    return _PRODUCTION.search(environment) is not None


def replica_stack(region: str) -> str:
    """Name of the stack, in another region, with the copies of artifacts that are deployed there."""
    return f"{PIPELINE_NAME}-{region}"


def environment_stacks(environment: str) -> tuple[str, str]:
    """Names of the stacks that an environment can have."""
    return f"mistral-7b-{environment}-endpoint", f"mistral-7b-{environment}-github"


def gate_role_name(environment: str) -> str:
    """The role, in the environment's account, that smoke and gates assume: it may invoke and see the endpoint."""
    return f"mistral-7b-{environment}-gate"


def gates_project_role_name(environment: str) -> str:
    """The role, in the pipeline's account, of the CodeBuild project that runs smoke and gates."""
    return f"mistral-7b-pipeline-{environment}-gates"
