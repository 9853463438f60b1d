"""Resource providers, one module a service: what CloudFormation can create here.

A type that is in no table, or a property that its provider does not carry, fails the deployment by name. moto's own
CloudFormation models are not used: they drop what they do not know without a word, and many cannot delete.
"""

from __future__ import annotations

from collections.abc import Mapping

from sagehost.cloudformation.providers import (
    autoscaling,
    cloudformation,
    cloudwatch,
    ec2,
    ecr,
    events,
    iam,
    kms,
    logs,
    pipelines,
    s3,
    sagemaker,
    security_groups,
    sns,
    ssm,
    vpc_endpoints,
)
from sagehost.cloudformation.providers.base import Provider

PROVIDERS: Mapping[str, Provider] = {
    resource_type: provider
    for service in (
        autoscaling,
        cloudformation,
        cloudwatch,
        ec2,
        ecr,
        events,
        iam,
        kms,
        logs,
        pipelines,
        s3,
        sagemaker,
        security_groups,
        sns,
        ssm,
        vpc_endpoints,
    )
    for resource_type, provider in service.PROVIDERS.items()
}
"""Resource type -> its provider."""
