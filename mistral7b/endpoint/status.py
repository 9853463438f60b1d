"""How an endpoint that does not answer is doing, as far as the credentials may see it."""

from dataclasses import dataclass

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError


@dataclass(frozen=True)
class EndpointStatus:
    """SageMaker's `EndpointStatus`, such as Creating, InService or Failed, and why it failed."""

    status: str
    failure_reason: str | None


def endpoint_status(endpoint_name: str, region: str, *, session: boto3.Session | None = None) -> EndpointStatus | None:
    """None if there is no such endpoint, or the caller may not see it: `sagemaker:DescribeEndpoint` is optional."""
    config = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})
    try:
        client = (session or boto3.Session()).client("sagemaker", region_name=region, config=config)
        description = client.describe_endpoint(EndpointName=endpoint_name)
    except (BotoCoreError, ClientError):
        return None
    return EndpointStatus(description["EndpointStatus"], description.get("FailureReason"))
