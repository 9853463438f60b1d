from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker

from sagemaker_tgi import InstanceScaling, InvalidPropsError, ITgiEndpoint, LogOptions, TgiEndpoint

Only = Callable[[cdk.Stack, str], dict[str, Any]]
Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]
MakeEndpoint = Callable[..., TgiEndpoint]
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/chat"

BOTH = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]


def test_an_update_keeps_the_instances_that_scaling_has_added(
    stack: cdk.Stack, only: Only, make_endpoint: MakeEndpoint
) -> None:
    make_endpoint().auto_scale(InstanceScaling())
    properties = only(stack, "AWS::SageMaker::Endpoint")["Properties"]
    assert properties["RetainAllVariantProperties"] is True
    assert "ExcludeRetainedVariantProperties" not in properties


def test_an_update_without_scaling_keeps_nothing_of_the_old_configuration(
    stack: cdk.Stack, only: Only, make_endpoint: MakeEndpoint
) -> None:
    make_endpoint()
    assert not [name for name in only(stack, "AWS::SageMaker::Endpoint")["Properties"] if "Retain" in name]


def test_the_endpoint_has_the_literal_name_and_the_configuration(
    stack: cdk.Stack, only: Only, make_endpoint: MakeEndpoint
) -> None:
    make_endpoint()
    properties = only(stack, "AWS::SageMaker::Endpoint")["Properties"]
    assert properties["EndpointName"] == "chat"
    assert properties["EndpointConfigName"]["Fn::GetAtt"][1] == "EndpointConfigName"
    assert "DeploymentConfig" not in properties


def test_a_deployment_config_is_passed_on(stack: cdk.Stack, only: Only, make_endpoint: MakeEndpoint) -> None:
    make_endpoint(
        deployment_config=sagemaker.CfnEndpoint.DeploymentConfigProperty(
            auto_rollback_configuration=sagemaker.CfnEndpoint.AutoRollbackConfigProperty(
                alarms=[sagemaker.CfnEndpoint.AlarmProperty(alarm_name="errors")]
            )
        ),
    )
    deployment = only(stack, "AWS::SageMaker::Endpoint")["Properties"]["DeploymentConfig"]
    assert deployment == {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}


def test_the_log_group_is_created_before_and_deleted_after_the_endpoint(
    stack: cdk.Stack, only: Only, make_endpoint: MakeEndpoint
) -> None:
    made = make_endpoint(log=LogOptions(retention=logs.RetentionDays.ONE_WEEK))
    group = only(stack, "AWS::Logs::LogGroup")
    assert group["Properties"]["LogGroupName"] == "/aws/sagemaker/Endpoints/chat"
    assert group["Properties"]["RetentionInDays"] == 7
    logical_id = stack.resolve(made.log_group.log_group_name)["Ref"]
    assert logical_id in only(stack, "AWS::SageMaker::Endpoint")["DependsOn"]


@pytest.mark.parametrize(
    ("policy", "expected"), [(cdk.RemovalPolicy.DESTROY, "Delete"), (cdk.RemovalPolicy.RETAIN, "Retain")]
)
def test_the_log_group_has_the_given_removal_policy(
    stack: cdk.Stack, only: Only, policy: cdk.RemovalPolicy, expected: str, make_endpoint: MakeEndpoint
) -> None:
    make_endpoint(log=LogOptions(removal_policy=policy))
    group = only(stack, "AWS::Logs::LogGroup")
    assert (group["DeletionPolicy"], group["UpdateReplacePolicy"]) == (expected, expected)


@pytest.mark.parametrize("name", ["", "a b", "-chat", "chat-", "x" * 64])
def test_a_name_that_sagemaker_would_refuse_is_refused(
    stack: cdk.Stack, name: str, make_endpoint: MakeEndpoint
) -> None:
    with pytest.raises(InvalidPropsError, match="Test/Endpoint: 1 problem"):
        make_endpoint(name)


def test_a_name_that_is_not_known_before_deployment_is_refused(stack: cdk.Stack, make_endpoint: MakeEndpoint) -> None:
    with pytest.raises(InvalidPropsError, match="is not known before deployment; give a literal"):
        make_endpoint(cdk.CfnParameter(stack, "Name").value_as_string)


@pytest.fixture(params=["created", "imported"])
def either(request: pytest.FixtureRequest, stack: cdk.Stack, make_endpoint: MakeEndpoint) -> ITgiEndpoint:
    if request.param == "created":
        return make_endpoint("Chat")
    return TgiEndpoint.from_endpoint_name(stack, "Imported", "Chat")


def test_callers_are_granted_to_invoke_this_endpoint_and_no_more(
    stack: cdk.Stack, either: ITgiEndpoint, only: Only
) -> None:
    caller = iam.User(stack, "Caller")
    assert either.grant_invoke(caller).success
    [statement] = only(stack, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": BOTH, "Resource": ARN}


def test_callers_can_be_held_to_the_vpc(stack: cdk.Stack, either: ITgiEndpoint, only: Only) -> None:
    vpc = ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"])
    either.grant_invoke(iam.User(stack, "Caller"), only_from_vpc=vpc)
    [statement] = only(stack, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == (BOTH, ARN)
    assert statement["Condition"] == {"StringEquals": {"aws:SourceVpc": "vpc-1"}}


def test_the_log_group_is_encrypted_with_the_given_key(
    stack: cdk.Stack, only: Only, make_endpoint: MakeEndpoint
) -> None:
    arn = "arn:aws:kms:eu-west-1:111122223333:key/01234567-89ab-cdef-0123-456789abcdef"
    make_endpoint(log=LogOptions(encryption_key=kms.Key.from_key_arn(stack, "Key", arn)))
    assert only(stack, "AWS::Logs::LogGroup")["Properties"]["KmsKeyId"] == arn


def test_an_endpoint_knows_its_name_arn_and_variant(either: ITgiEndpoint) -> None:
    assert (either.endpoint_name, either.endpoint_arn, either.variant_name) == ("Chat", ARN, "AllTraffic")


def test_an_api_of_the_cdks_own_integration_calls_the_endpoint(
    stack: cdk.Stack, either: ITgiEndpoint, only: Only
) -> None:
    api = apigateway.RestApi(stack, "Api", deploy=False, cloud_watch_role=False)
    api.root.add_method("POST", apigateway.SagemakerIntegration(either))
    uri = only(stack, "AWS::ApiGateway::Method")["Properties"]["Integration"]["Uri"]
    assert uri == "arn:aws:apigateway:eu-west-1:runtime.sagemaker:path/endpoints/Chat/invocations"
    [statement] = only(stack, "AWS::IAM::Policy")["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": BOTH, "Resource": ARN}


def test_an_endpoint_is_referred_to_as_the_cdks_own_are(either: ITgiEndpoint) -> None:
    assert either.endpoint_ref.endpoint_arn == ARN


def test_an_imported_endpoint_adds_nothing_to_the_template(stack: cdk.Stack, resources: Resources) -> None:
    TgiEndpoint.from_endpoint_name(stack, "Imported", "chat")
    assert resources(stack, "AWS::SageMaker::Endpoint") == []
    assert resources(stack, "AWS::Logs::LogGroup") == []
