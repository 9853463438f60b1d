from collections.abc import Callable
from typing import Any

import aws_cdk as cdk

from sagemaker_tgi import GateRole, NamedRole, Permission, TgiEndpoint

Only = Callable[[cdk.Stack, str], dict[str, Any]]

BOTH = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]


def gate(stack: cdk.Stack, only: Only, *trusted: NamedRole) -> dict[str, Any]:
    endpoint = TgiEndpoint.from_endpoint_name(stack, "Endpoint", "mistral-7b")
    GateRole(stack, "Gate", role_name="mistral-7b-gate", endpoint=endpoint, trusted=trusted)
    properties: dict[str, Any] = only(stack, "AWS::IAM::Role")["Properties"]
    return properties


def test_it_may_only_invoke_and_describe_the_endpoint_and_its_stack(stack: cdk.Stack, only: Only) -> None:
    [policy] = gate(stack, only, NamedRole("builds"))["Policies"]
    invoke, see, look_up = policy["PolicyDocument"]["Statement"]
    assert (invoke["Action"], see["Action"]) == (BOTH, "sagemaker:DescribeEndpoint")
    for statement in (invoke, see):
        assert str(stack.resolve(statement["Resource"])).rstrip("']}").endswith("endpoint/mistral-7b")
    assert (look_up["Action"], look_up["Resource"]) == (
        "cloudformation:DescribeStackResources",
        {"Ref": "AWS::StackId"},
    )


def test_it_may_do_more_where_that_is_given(stack: cdk.Stack, only: Only) -> None:
    endpoint = TgiEndpoint.from_endpoint_name(stack, "Endpoint", "mistral-7b")
    start = Permission("Start", "to start it", ["sagemaker:CreateEndpoint"], [endpoint.endpoint_arn])
    GateRole(stack, "Gate", role_name="gate", endpoint=endpoint, trusted=[NamedRole("builds")], more=[start])
    [policy] = only(stack, "AWS::IAM::Role")["Properties"]["Policies"]
    assert policy["PolicyDocument"]["Statement"][-1]["Action"] == "sagemaker:CreateEndpoint"


def test_it_has_the_given_name(stack: cdk.Stack, only: Only) -> None:
    assert gate(stack, only, NamedRole("builds"))["RoleName"] == "mistral-7b-gate"


def test_it_trusts_a_role_of_another_account_by_name(stack: cdk.Stack, only: Only) -> None:
    [statement] = gate(stack, only, NamedRole("builds", "444455556666"))["AssumeRolePolicyDocument"]["Statement"]
    assert "444455556666:root" in str(statement["Principal"])
    [name] = statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    assert "444455556666:role/builds" in str(name)


def test_a_trusted_role_without_an_account_is_of_the_stacks_account(stack: cdk.Stack, only: Only) -> None:
    own, other = NamedRole("jobs"), NamedRole("builds", "444455556666")
    [statement] = gate(stack, only, own, other)["AssumeRolePolicyDocument"]["Statement"]
    first, second = statement["Condition"]["ArnEquals"]["aws:PrincipalArn"]
    assert stack.account in str(first)
    assert "role/jobs" in str(first)
    assert "444455556666:role/builds" in str(second)
    assert len(statement["Principal"]["AWS"]) == 2
