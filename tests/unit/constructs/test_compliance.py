from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk.assertions import Template

from sagemaker_tgi.compliance import (
    STATEMENT_REASONS,
    acknowledge,
    acknowledge_lint,
    acknowledge_rule,
    acknowledge_wildcards,
    explain_statements,
)


def acknowledged(construct: cdk.Stack) -> dict[str, str]:
    key = cdk.Validations.ACKNOWLEDGED_RULES_METADATA_KEY
    entries: list[Any] = [entry.data for entry in construct.node.metadata if entry.type == key]
    return {finding.removeprefix("Annotation::"): reason for entry in entries for finding, reason in entry.items()}


def test_a_finding_is_recorded_with_its_reason(stack: cdk.Stack) -> None:
    acknowledge(stack, "nothing to log", "AwsSolutions-VPC7")
    assert acknowledged(stack) == {"AwsSolutions-VPC7": "nothing to log"}


def test_each_wildcard_is_a_finding_of_its_own(stack: cdk.Stack) -> None:
    acknowledge_wildcards(stack, ["*", "arn:aws:s3:::weights/*"], "all of them")
    assert acknowledged(stack) == {
        "AwsSolutions-IAM5[Resource::*]": "all of them",
        "AwsSolutions-IAM5[Resource::arn:aws:s3:::weights/*]": "all of them",
    }


def test_unresolved_references_are_written_as_cdk_nag_reports_them() -> None:
    stack = cdk.Stack(cdk.App(), "Agnostic")
    acknowledge_wildcards(
        stack, [stack.format_arn(service="ec2", resource="network-interface", resource_name="*")], "x"
    )
    assert list(acknowledged(stack)) == [
        "AwsSolutions-IAM5[Resource::arn:<AWS::Partition>:ec2:<AWS::Region>:<AWS::AccountId>:network-interface/*]"
    ]


def test_a_rule_by_name_is_acknowledged_in_each_pack_that_names_its_rules(stack: cdk.Stack) -> None:
    acknowledge_rule(stack, "IAMNoInlinePolicy", "goes with its role")
    assert acknowledged(stack) == {
        "NIST.800.53.R5-IAMNoInlinePolicy": "goes with its role",
        "PCI.DSS.321-IAMNoInlinePolicy": "goes with its role",
        "HIPAA.Security-IAMNoInlinePolicy": "goes with its role",
    }


def test_a_wildcard_in_a_bucket_of_the_stack_is_written_as_cdk_nag_writes_it(stack: cdk.Stack) -> None:
    bucket = s3.Bucket(stack, "Bucket")
    acknowledge_wildcards(stack, [bucket.arn_for_objects("captured/*")], "x")
    logical_id = stack.resolve(bucket.bucket_name)["Ref"]
    assert list(acknowledged(stack)) == [f"AwsSolutions-IAM5[Resource::<{logical_id}.Arn>/captured/*]"]


def test_a_warning_of_cfn_lint_is_acknowledged_in_the_template(stack: cdk.Stack) -> None:
    resource = cdk.CfnResource(stack, "Queue", type="AWS::SQS::Queue")
    acknowledge_lint(resource, "W3010", "as intended")
    metadata = Template.from_stack(stack).to_json()["Resources"]["Queue"]["Metadata"]
    assert metadata["cfn-lint"] == {"config": {"ignore_checks": ["W3010"]}, "reason": "as intended"}


def test_the_reason_of_a_statement_is_metadata_of_its_construct(stack: cdk.Stack) -> None:
    explain_statements(stack, {"ReadWeights": "to load them"})
    assert [e.data for e in stack.node.metadata if e.type == STATEMENT_REASONS] == [{"ReadWeights": "to load them"}]
