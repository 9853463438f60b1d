"""The collector reads what is there, whatever the construct, and says what it cannot read."""

from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam

from mistral7b.operate.permissions import StackPolicies, Statement, read_policies
from mistral7b_stacks.stage import EnvironmentStage
from sagemaker_tgi import explain_statements
from tests.unit.stacks.conftest import label, unused_reasons
from tests.variants import ENVIRONMENTS, new_app


@pytest.fixture
def stage(tmp_path: Path) -> EnvironmentStage:
    environment = ENVIRONMENTS["nothing"]  # no compliance packs, which would refuse what these tests add
    return EnvironmentStage(new_app(outdir=str(tmp_path)), environment=environment)


def added_user(stage: EnvironmentStage, **statement: Any) -> iam.CfnUser:
    body = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"], "Resource": "*"} | statement
    document = {"Version": "2012-10-17", "Statement": body}
    policy = iam.CfnUser.PolicyProperty(policy_name="Queues", policy_document=document)
    return iam.CfnUser(stage.endpoint, "Someone", policies=[policy])


def read(stage: EnvironmentStage) -> StackPolicies:
    app = stage.node.root
    assert isinstance(app, cdk.App)
    [stack] = read_policies(Path(app.synth().directory))
    return stack


def found(stage: EnvironmentStage) -> Statement:
    [statement] = [s for s in read(stage).statements() if s.path == "Someone"]
    return statement


def test_a_statement_of_any_resource_is_found_by_its_first_action(stage: EnvironmentStage) -> None:
    added_user(stage)
    assert label(found(stage)) == "nothing/endpoint/Someone, Queues: sqs:SendMessage"
    assert found(stage).reason is None


def test_everyone_is_read_from_either_way_of_writing_it(stage: EnvironmentStage) -> None:
    added_user(stage, Principal="*")
    assert found(stage).principals == ("AWS *",)


def test_a_reason_of_the_stack_counts_for_what_is_in_it(stage: EnvironmentStage) -> None:
    added_user(stage)
    explain_statements(stage.endpoint, {"sqs:SendMessage": "of the stack"})
    assert found(stage).reason == "of the stack"


def test_of_two_reasons_the_nearest_constructs_counts(stage: EnvironmentStage) -> None:
    user = added_user(stage)
    explain_statements(stage.endpoint, {"sqs:SendMessage": "of the stack"})
    explain_statements(user, {"sqs:SendMessage": "of the user"})
    assert found(stage).reason == "of the user"


def test_a_reason_without_a_statement_is_named(stage: EnvironmentStage) -> None:
    explain_statements(added_user(stage), {"SendAll": "of old"})
    assert unused_reasons(read(stage)) == ["nothing/endpoint/Someone: SendAll"]


def test_a_reason_elsewhere_does_not_count(stage: EnvironmentStage) -> None:
    added_user(stage)
    explain_statements(stage.endpoint.endpoint, {"sqs:SendMessage": "of another construct"})
    assert found(stage).reason is None
    assert unused_reasons(read(stage)) == ["nothing/endpoint/Endpoint: sqs:SendMessage"]


def test_a_reference_is_the_construct_that_it_refers_to(stage: EnvironmentStage) -> None:
    group = stage.endpoint.endpoint.log_group
    added_user(stage, Resource=[group.log_group_arn, group.log_group_name])
    assert found(stage).resources == ("<Arn of endpoint/Endpoint/LogGroup>", "<endpoint/Endpoint/LogGroup>")


def test_a_list_of_what_is_not_allowed_is_refused_as_it_would_be_misread(stage: EnvironmentStage) -> None:
    added_user(stage, NotResource="arn:aws:sqs:::secret")
    with pytest.raises(ValueError, match="nothing/endpoint/Someone, Queues: NotResource is not read"):
        _ = read(stage).statements()


def test_a_function_that_it_does_not_know_is_refused(stage: EnvironmentStage) -> None:
    added_user(stage, Resource={"Fn::Sub": "${AWS::Region}"})
    with pytest.raises(ValueError, match=r"nothing/endpoint: no reading for .*Fn::Sub"):
        _ = read(stage).statements()
