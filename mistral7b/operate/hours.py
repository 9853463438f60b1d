"""Stops an environment's endpoint and starts it again, as office hours do.

It is stopped by deleting it. Its configuration and model stay, and it is created again from them, with the same name
and the configuration's tags: CloudFormation gives both the same ones. Tags that begin with `aws:` cannot be given by
hand, and CloudFormation does without them: it knows the endpoint by its name.
"""

import time
from dataclasses import dataclass
from typing import Any

from mistral7b.environment import Environment
from mistral7b.errors import FAILED, UserError
from mistral7b.operate import stacks
from mistral7b.operate.calls import NOT_IN_SAGEMAKER, Client, ask, each
from mistral7b.promotion.names import environment_stacks

_STABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")
_POLL_S, _DELETION_S = 5.0, 900.0


@dataclass(frozen=True)
class Deployed:
    """A deployed environment's endpoint."""

    name: str
    stack: str
    stack_status: str
    logical_id: str
    """The endpoint's in the stack."""
    config_arn: str
    status: str | None
    """SageMaker's EndpointStatus; None while it is stopped."""


def find(client: Client, env: Environment) -> Deployed | None:
    """The endpoint of an environment whose first deployment has succeeded, or None.

    It takes cloudformation:DescribeStacks, cloudformation:DescribeStackResources and sagemaker:DescribeEndpoint.
    Raises ClientError.
    """
    cloudformation = client("cloudformation")
    for stack in stacks.find(cloudformation, environment_stacks(env.name)[:1]):
        if name := stack.outputs.get("EndpointName"):
            found = cloudformation.describe_stack_resources(StackName=stack.name)["StackResources"]
            of = {one["ResourceType"].removeprefix("AWS::SageMaker::"): one for one in found}
            logical_id, arn = of["Endpoint"]["LogicalResourceId"], of["EndpointConfig"]["PhysicalResourceId"]
            status, _ = endpoint_status(client("sagemaker"), name)
            return Deployed(name, stack.name, stack.status, logical_id, arn, status)
    return None


def asleep(client: Client, env: Environment) -> bool:
    """Whether the environment is deployed and its endpoint stopped, so that an update of the stack would fail.

    It takes and raises what `find` does.
    """
    found = find(client, env)
    return found is not None and found.status is None


def stop(client: Client, found: Deployed) -> None:
    """Deletes the endpoint.

    It takes sagemaker:DescribeEndpoint, sagemaker:DeleteEndpoint and application-autoscaling:DescribeScalableTargets.

    Raises:
        UserError: it is being changed, or it scales.
        ClientError: AWS refuses.
    """
    _check_stack(found)
    if found.status not in ("InService", "Failed"):
        raise UserError(f"{found.name} is {found.status}\nfix: wait until it is InService, then stop it", FAILED)
    targets, scaled = client("application-autoscaling"), {"ServiceNamespace": "sagemaker"}
    ids = each(targets, "describe_scalable_targets", "ScalableTargets[].ResourceId", **scaled)
    if any(one.startswith(f"endpoint/{found.name}/") for one in ids):
        fix = "deploy it with auto_scaling: null first"
        raise UserError(f"{found.name} scales, and would not when it is started again\nfix: {fix}", FAILED)
    client("sagemaker").delete_endpoint(EndpointName=found.name)


def start(look: Client, act: Client, found: Deployed) -> bool:
    """Creates the endpoint if it is stopped, and again if it has failed; whether there was anything to do.

    `look` takes sagemaker:ListEndpointConfigs, sagemaker:ListTags and sagemaker:DescribeEndpoint; `act`
    sagemaker:CreateEndpoint, sagemaker:AddTags and, for one that has failed, sagemaker:DeleteEndpoint.

    Raises:
        UserError: the stack is being deployed, or its roll back has failed.
        ClientError: AWS refuses.
    """
    if found.status not in (None, "Failed", "Deleting"):
        return False
    _check_stack(found)
    if found.status == "Failed":
        act("sagemaker").delete_endpoint(EndpointName=found.name)
    if found.status:
        wait(look, found.name, _DELETION_S, wanted=None)
    configs = each(look("sagemaker"), "list_endpoint_configs", "EndpointConfigs")
    # by its ARN, in which names are in lower case
    config = next(one["EndpointConfigName"] for one in configs if one["EndpointConfigArn"] == found.config_arn)
    tags = [*each(look("sagemaker"), "list_tags", "Tags", ResourceArn=found.config_arn)]
    tags = [tag for tag in tags if not tag["Key"].lower().startswith("aws:")]
    act("sagemaker").create_endpoint(EndpointName=found.name, EndpointConfigName=config, Tags=tags)
    return True


def wait(client: Client, name: str, timeout_s: float, *, wanted: str | None = "InService") -> None:
    """Waits until the endpoint has this status; None until it is deleted. It takes sagemaker:DescribeEndpoint.

    Raises:
        UserError: it has failed, is deleted, or takes longer.
    """
    deadline = time.monotonic() + timeout_s
    while (status := endpoint_status(client("sagemaker"), name))[0] != wanted:
        if wanted and status[0] in ("Failed", None):
            fix = "its log group says more; where there was no capacity, start it later"
            raise UserError(
                f"{name} {status[0] or 'was deleted'}: {status[1] or 'by somebody else'}\nfix: {fix}", FAILED
            )
        if time.monotonic() > deadline:
            raise UserError(f"{name} is still {status[0]} after {timeout_s / 60:.0f} minutes", FAILED)
        time.sleep(_POLL_S)


def _check_stack(found: Deployed) -> None:
    if found.stack_status in _STABLE:
        return
    fix = "wait until its deployment has ended"
    if found.stack_status == "UPDATE_ROLLBACK_FAILED":
        resume = f"aws cloudformation continue-update-rollback --stack-name {found.stack}"
        fix = f"{resume} --resources-to-skip {found.logical_id}; then start and deploy again (docs/office-hours.md)"
    raise UserError(f"the stack {found.stack} is {found.stack_status}\nfix: {fix}", FAILED)


def endpoint_status(sagemaker: Any, name: str) -> tuple[str | None, str]:
    """EndpointStatus, None if there is no such endpoint, and FailureReason. Raises ClientError."""
    endpoint = ask(sagemaker.describe_endpoint, NOT_IN_SAGEMAKER, EndpointName=name) or {}
    return endpoint.get("EndpointStatus"), endpoint.get("FailureReason", "")
