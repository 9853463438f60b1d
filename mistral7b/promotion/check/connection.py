"""Whether the pipeline may fetch the repository: the connection to its host is there and its handshake done."""

from typing import Any

from botocore.exceptions import ClientError

from mistral7b.operate.account import Client
from mistral7b.promotion.check.bootstrap import Result
from mistral7b.promotion.names import CONNECTION_NAME, PIPELINE_STACK_NAME
from mistral7b.promotion.schema import PipelineSettings

_TYPES = ("AWS::CodeConnections::Connection", "AWS::CodeStarConnections::Connection")
# ProviderType in the CodeConnections API, of the host's own service and of installations of it.
_PROVIDERS = {
    "github": ("GitHub", "GitHubEnterpriseServer"),
    "gitlab": ("GitLab", "GitLabSelfManaged"),
    "bitbucket": ("Bitbucket",),
}
_MADE = "made by the first `cdk deploy pipeline`"


def check_connection(settings: PipelineSettings, client: Client) -> Result:
    """What there is to say of the connection that the file names, or that the pipeline's stack has made.

    Raises ClientError.
    """
    arn = settings.source.connection_arn or _made_by_the_stack(client("cloudformation"))
    if arn is None:
        return "later", f"{_MADE}; then its handshake is due, in the console", ""
    try:
        connection = client(arn.split(":")[2]).get_connection(ConnectionArn=arn)["Connection"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        return _missing(settings, arn)
    return _state(settings, connection, arn)


def _made_by_the_stack(client: Any) -> str | None:
    """ARN of the connection among the resources of the pipeline's stack; None where there is no such stack yet."""
    try:
        for page in client.get_paginator("list_stack_resources").paginate(StackName=PIPELINE_STACK_NAME):
            for resource in page["StackResourceSummaries"]:
                deleted = resource["ResourceStatus"] == "DELETE_COMPLETE"
                if resource["ResourceType"] in _TYPES and resource.get("PhysicalResourceId") and not deleted:
                    return str(resource["PhysicalResourceId"])
    except ClientError as error:
        if "does not exist" not in str(error):  # a ValidationError like any other
            raise
    return None


def _missing(settings: PipelineSettings, arn: str) -> Result:
    if settings.source.connection_arn is None:
        fix = f"with credentials of {settings.account}: cdk destroy pipeline, then cdk deploy pipeline"
        return "refused", f"{arn}, which the pipeline's stack has made, is gone", fix
    fix = f"set source.connection_arn to one that is there, or remove it: it is then {_MADE}"
    return "refused", f"{arn} does not exist", fix


def _state(settings: PipelineSettings, connection: dict[str, Any], arn: str) -> Result:
    status, provider = connection["ConnectionStatus"], connection["ProviderType"]
    if provider not in _PROVIDERS[settings.source.provider]:
        detail = f"{arn} leads to {provider}, and source.provider is {settings.source.provider}"
        return "refused", detail, "correct one of source.provider and source.connection_arn"
    if status == "AVAILABLE":
        return "fine", f"{status}: {arn}", ""
    # The region is where the connection was made: it works in all, and its handshake is there.
    region, name = arn.split(":")[3], connection.get("ConnectionName", CONNECTION_NAME)
    url = f"https://{region}.console.aws.amazon.com/codesuite/settings/connections?region={region}"
    where = f"open {url} in account {settings.account}"
    if status == "PENDING":
        fix = f"{where}, choose {name}, Update pending connection"
        return "refused", f"{arn} is PENDING: its handshake is due", fix
    return "refused", f"{arn} is {status}", f"{where} and see {name}; the host may have revoked its app's access"
