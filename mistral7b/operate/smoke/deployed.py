"""Whether what runs is what was deployed, by what SageMaker and CloudFormation say of it.

An update can end InService on the old configuration, without a FailureReason (hashicorp/terraform-provider-aws#48997).
"""

import time
from collections.abc import Iterator
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.environment import Environment
from mistral7b.operate.smoke.answers import CheckResult, shortened
from mistral7b.promotion.names import environment_stacks

DEPLOYED = ("configuration", "image", "instances", "data capture")
"""Names of the checks. All take sagemaker:DescribeEndpoint, the first also cloudformation:DescribeStackResources."""


def compare(env: Environment, session: boto3.Session) -> tuple[list[CheckResult], dict[str, str]]:
    """The checks of an environment's endpoint that could be made, and the names of the others, each with the reason."""
    started, config = time.monotonic(), Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
    sagemaker, cloudformation = (
        session.client(service, region_name=env.region, config=config) for service in ("sagemaker", "cloudformation")
    )
    found, reason = list[_Found](), ""
    try:
        endpoint = sagemaker.describe_endpoint(EndpointName=env.resolved_endpoint_name)
        found += _of_the_file(env, endpoint)
        stack = cloudformation.describe_stack_resources(StackName=environment_stacks(env.name)[0])
        found.insert(0, _of_the_stack(endpoint, stack["StackResources"]))
    except (BotoCoreError, ClientError) as error:
        reason = shortened(str(error))
    seconds, told = (time.monotonic() - started) / len(DEPLOYED), [name for name, *_ in found]
    return [
        CheckResult(name, passed, seconds, expected if passed else f"{expected}; fix: {fix}", got)
        for name, passed, expected, got, fix in found
    ], {name: reason for name in DEPLOYED if name not in told}


_Found = tuple[str, bool, str, str, str]
"""A check's name, whether it passed, what was expected, what was got, and the fix."""


def _of_the_stack(endpoint: dict[str, Any], resources: list[dict[str, Any]]) -> _Found:
    kind = "AWS::SageMaker::EndpointConfig"
    arns = [one["PhysicalResourceId"] for one in resources if one["ResourceType"] == kind]
    runs, wanted = endpoint["EndpointConfigName"], ", ".join(arn.rsplit("/", 1)[-1] for arn in arns) or "none"
    fix = (
        "SageMaker has gone back to the old one; `aws sagemaker update-endpoint --endpoint-name "
        f"{endpoint['EndpointName']} --endpoint-config-name {wanted}` tries again. If that says "
        '"Could not find endpoint configuration", deploy with another endpoint_name'
    )
    return DEPLOYED[0], runs.lower() == wanted.lower(), wanted, runs, fix  # ARNs of SageMaker are in lower case


def _of_the_file(env: Environment, endpoint: dict[str, Any]) -> Iterator[_Found]:
    variants, scaling, capture = endpoint.get("ProductionVariants", []), env.auto_scaling, env.data_capture
    fix = f"if the configuration is right and the file has changed since, `cdk deploy '{env.name}/*'`"
    image = ", ".join(one["SpecifiedImage"] for variant in variants for one in variant.get("DeployedImages", []))
    yield DEPLOYED[1], image == env.image_uri, env.image_uri, image, fix
    low, high = (scaling.min_instances, scaling.max_instances) if scaling else (env.instance.count,) * 2
    counts, bounds = [one["CurrentInstanceCount"] for one in variants], f"{low} to {high}" if scaling else f"{low}"
    by_hand = f"{fix}; if it has not, `aws sagemaker update-endpoint-weights-and-capacities`"
    within = len(counts) == 1 and low <= counts[0] <= high
    yield DEPLOYED[2], within, bounds, ", ".join(map(str, counts)), by_hand
    shown = endpoint.get("DataCaptureConfig") or {}
    got = f"{shown['CurrentSamplingPercentage']}%" if shown.get("CaptureStatus") == "Started" else "off"
    expected = f"{capture.sampling_percentage}%" if capture else "off"
    twice = "deploy with `auto_scaling: null`, then as it is: while it scales, an update keeps what is captured"
    yield DEPLOYED[3], got == expected, expected, got, f"{fix}; if it has not, {twice}" if scaling else fix
