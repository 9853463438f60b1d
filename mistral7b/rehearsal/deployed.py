"""What each environment's account runs, asked of SageMaker there; and which commit that is, asked of the pipeline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.promotion import PromotedEnvironment
from mistral7b.rehearsal.execution import SUCCEEDED
from mistral7b.rehearsal.logs import Client

NOTHING = "none"
"""Status of an endpoint that there is not."""


@dataclass(frozen=True)
class Deployed:
    """What one environment runs."""

    environment: str
    account: str
    region: str
    endpoint: str
    status: str
    """SageMaker's EndpointStatus, or none."""
    instance_type: str = ""
    instances: int = 0
    commit: str = ""
    """Whose endpoint stack the pipeline has deployed last; empty if it never has."""
    settings: dict[str, str] = field(default_factory=dict)
    """The container's environment variables."""


def deployed(client: Client, environment: PromotedEnvironment, commits: Mapping[str, str]) -> Deployed:
    """What an environment's account runs.

    Args:
        client: makes clients of the environment's account.
        environment: where to look.
        commits: by stage, see `deployed_commits`.

    Raises:
        botocore.exceptions.ClientError: SageMaker cannot be asked.
    """
    name = environment.environment.resolved_endpoint_name
    place = (environment.name, environment.account, environment.region, name)
    sagemaker = client("sagemaker", environment.account, environment.region)
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":  # SageMaker's word for what is not there
            return Deployed(*place, NOTHING)
        raise
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    variant = config["ProductionVariants"][0]
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    running = endpoint.get("ProductionVariants", [{}])[0]
    return Deployed(
        *place,
        endpoint["EndpointStatus"],
        instance_type=variant["InstanceType"],
        instances=running.get("CurrentInstanceCount", variant["InitialInstanceCount"]),
        commit=commits.get(environment.name, ""),
        settings=model["PrimaryContainer"]["Environment"],
    )


def deployed_commits(codepipeline: Any, pipeline: str) -> dict[str, str]:
    """By stage, the commit of the execution that last deployed the stage's last stack: the endpoint's.

    Raises:
        botocore.exceptions.ClientError: the pipeline cannot be asked.
    """
    order = {
        (stage["stageName"], action["actionName"]): place
        for stage in codepipeline.get_pipeline_state(name=pipeline)["stageStates"]
        for place, action in enumerate(stage["actionStates"])
    }
    pages = codepipeline.get_paginator("list_action_executions").paginate(pipelineName=pipeline)
    newest: dict[str, tuple[tuple[int, datetime], str]] = {}
    for run in (run for page in pages for run in page["actionExecutionDetails"]):
        stage = run["stageName"]
        place = order.get((stage, run["actionName"]))
        if run["status"] == SUCCEEDED and place is not None and _deploys(run):
            found = ((place, run["startTime"]), run["pipelineExecutionId"])
            newest[stage] = max(newest.get(stage, found), found)
    return {stage: _commit(codepipeline, pipeline, execution_id) for stage, (_, execution_id) in newest.items()}


def _deploys(run: Mapping[str, Any]) -> bool:
    """Whether an action changes a stack: in CDK Pipelines, the one that executes the change set."""
    configuration = run.get("input", {}).get("configuration", {})
    return configuration.get("ActionMode") in ("CHANGE_SET_EXECUTE", "CREATE_UPDATE")


def _commit(codepipeline: Any, pipeline: str, execution_id: str) -> str:
    execution = codepipeline.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=execution_id)
    revisions = execution["pipelineExecution"].get("artifactRevisions", [])
    return revisions[0].get("revisionId", "") if revisions else ""
