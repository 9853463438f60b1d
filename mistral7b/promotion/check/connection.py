"""Checks that the connection to the repository's host exists and that its handshake is done."""

from collections.abc import Iterator
from typing import Any

from mistral7b.operate.calls import ask
from mistral7b.operate.checks import Finding, Target
from mistral7b.operate.stacks import resources
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


READS = {
    "*": ("cloudformation:ListStackResources", "codeconnections:GetConnection", "codestar-connections:GetConnection")
}


def check_connection(settings: PipelineSettings, target: Target) -> Iterator[Finding]:
    """Checks the connection that the file names, or that the pipeline's stack has made. Raises ClientError."""
    arn = settings.source.connection_arn or _made_by_the_stack(target.client("cloudformation"))
    if arn is None:
        yield Finding("not checked", f"{_MADE}; then its handshake is due, in the console")
        return
    service = target.client(arn.split(":")[2])
    answer = ask(service.get_connection, "ResourceNotFoundException", ConnectionArn=arn)
    if answer:
        yield _state(settings, answer["Connection"], arn)
    elif settings.source.connection_arn:
        fix = f"set source.connection_arn to one that is there, or remove it: it is then {_MADE}"
        yield Finding("failure", f"{arn} does not exist", fix)
    else:
        fix = f"with credentials of {settings.account}: cdk destroy pipeline, then cdk deploy pipeline"
        yield Finding("failure", f"{arn}, which the pipeline's stack has made, is gone", fix)


def _made_by_the_stack(client: Any) -> str | None:
    """ARN of the connection among the resources of the pipeline's stack; None where there is no such stack yet."""
    made = (one for one in resources(client, PIPELINE_STACK_NAME) if one["ResourceType"] in _TYPES)
    return next((str(one["PhysicalResourceId"]) for one in made if one.get("PhysicalResourceId")), None)


def _state(settings: PipelineSettings, connection: dict[str, Any], arn: str) -> Finding:
    status, provider = connection["ConnectionStatus"], connection["ProviderType"]
    if provider not in _PROVIDERS[settings.source.provider]:
        detail = f"{arn} leads to {provider}, and source.provider is {settings.source.provider}"
        return Finding("failure", detail, "correct one of source.provider and source.connection_arn")
    if status == "AVAILABLE":
        return Finding("ok", f"{status}: {arn}")
    # The region is where the connection was made: it works in all, and its handshake is there.
    region, name = arn.split(":")[3], connection.get("ConnectionName", CONNECTION_NAME)
    url = f"https://{region}.console.aws.amazon.com/codesuite/settings/connections?region={region}"
    where = f"open {url} in account {settings.account}"
    if status == "PENDING":
        fix = f"{where}, choose {name}, Update pending connection"
        return Finding("failure", f"{arn} is PENDING: its handshake is due", fix)
    fix = f"{where} and see {name}; the host may have revoked its app's access"
    return Finding("failure", f"{arn} is {status}", fix)
