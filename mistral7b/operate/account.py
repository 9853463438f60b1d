"""What a deployment takes for granted of its account, and what SageMaker would refuse: asked before it begins."""

from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from mistral7b.environment import Environment, Problem
from mistral7b.operate.existing_vpc import vpc_problems

Client = Callable[[str], Any]
"""Makes a boto3 client of a service, in the environment's account and region."""


def account_problems(client: Client, env: Environment, file: object) -> list[Problem]:
    """Everything that would fail a deployment some minutes in; `file` is the environment's, for the messages.

    It takes iam:GetRole, sagemaker:DescribeEndpoint, sagemaker:DescribeEndpointConfig,
    application-autoscaling:DescribeScalableTargets, and for an existing VPC ec2:Describe*. Raises ClientError.
    """
    return [*_missing_roles(client, env, file), *vpc_problems(client("ec2"), env, file), *_type(client, env, file)]


def _missing_roles(client: Client, env: Environment, file: object) -> Iterator[Problem]:
    for name in env.callers.role_names:
        try:
            client("iam").get_role(RoleName=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            reason = "there is no such role in the account"
            yield Problem(str(file), None, "callers.role_names", name, reason, "create it first, or take it out")


def _type(client: Client, env: Environment, file: object) -> Iterator[Problem]:
    """SageMaker changes no instance type of a variant that scales, whether or not the file still has `auto_scaling`.

    CloudFormation removes a scalable target only after the update of its endpoint. Source: SageMaker developer guide,
    "Update endpoints that use automatic scaling".
    """
    sagemaker, name = client("sagemaker"), env.resolved_endpoint_name
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ValidationException":  # SageMaker's word for what is not there
            return
        raise
    config = sagemaker.describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    types = {f"endpoint/{name}/variant/{v['VariantName']}": v["InstanceType"] for v in config["ProductionVariants"]}
    scaled = client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=list(types)
    )["ScalableTargets"]
    for now in (types[target["ResourceId"]] for target in scaled):
        if now != env.instance_type:
            reason = f"{name} runs on {now} and scales, and SageMaker changes the type of no variant that scales"
            fix = f"deploy {now} with auto_scaling: null, then {env.instance_type} with the auto_scaling that you want"
            yield Problem(str(file), None, "instance.type", env.instance_type, reason, fix)
