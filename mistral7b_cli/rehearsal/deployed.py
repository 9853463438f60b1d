"""What each environment's account runs, asked of SageMaker there."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.exceptions import ClientError

from mistral7b.promotion import PromotedEnvironment
from mistral7b_cli.rehearsal.cloud import Cloud

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
    """Whose stack the pipeline has deployed last; empty if it never has."""
    settings: dict[str, str] = field(default_factory=dict)
    """The container's environment variables."""


def deployed(cloud: Cloud, environment: PromotedEnvironment, commits: Mapping[str, str]) -> Deployed:
    """What an environment's account runs.

    Args:
        cloud: the embedded AWS.
        environment: where to look.
        commits: by stage, what was deployed last.

    Raises:
        botocore.exceptions.ClientError: SageMaker cannot be asked.
    """
    name = environment.environment.resolved_endpoint_name
    place = (environment.name, environment.account, environment.region, name)
    sagemaker = cloud.client("sagemaker", environment.account, environment.region)
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
