from typing import Any

import aws_cdk as cdk

from sagemaker_tgi.compliance import acknowledge, acknowledge_wildcards


def acknowledged(construct: cdk.Stack) -> dict[str, str]:
    key = cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    entries: list[Any] = [entry.data for entry in construct.node.metadata if entry.type == key]
    return {finding.removeprefix("Annotation::"): reason for entry in entries for finding, reason in entry.items()}


def test_a_finding_is_recorded_with_its_reason(stack: cdk.Stack) -> None:
    acknowledge(stack, "AwsSolutions-VPC7", "nothing to log")
    assert acknowledged(stack) == {"AwsSolutions-VPC7": "nothing to log"}


def test_each_wildcard_is_a_finding_of_its_own(stack: cdk.Stack) -> None:
    acknowledge_wildcards(stack, ["*", "arn:aws:s3:::weights/*"], "all of them")
    assert acknowledged(stack) == {
        "AwsSolutions-IAM5[Resource::*]": "all of them",
        "AwsSolutions-IAM5[Resource::arn:aws:s3:::weights/*]": "all of them",
    }


def test_what_is_known_at_deployment_only_is_written_as_cdk_nag_writes_it() -> None:
    stack = cdk.Stack(cdk.App(), "Agnostic")
    acknowledge_wildcards(
        stack, [stack.format_arn(service="ec2", resource="network-interface", resource_name="*")], "x"
    )
    assert list(acknowledged(stack)) == [
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*]"
    ]
