"""Each correction does what it says, and moto still needs it.

`__wrapped__` is what moto itself has: when a test on it fails, moto has changed and the correction may go.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.applicationautoscaling.models import ApplicationAutoscalingBackend, applicationautoscaling_backends
from moto.applicationautoscaling.responses import ApplicationAutoScalingResponse
from moto.cloudtrail.responses import CloudTrailResponse
from moto.cloudwatch.responses import CloudWatchResponse
from moto.ec2.models.vpcs import VPCBackend
from moto.ec2.responses.vpcs import VPCs
from moto.iam import models as iam_models
from moto.iam.access_control import IAMPolicyStatement, PermissionResult
from moto.iam.models import IAMBackend
from moto.iam.policy_validation import BaseIAMPolicyValidator, IAMTrustPolicyDocumentValidator
from moto.sts.responses import TokenResponse

from sagehost import moto_app, patches
from sagehost.accounts import access_key_id
from sagehost.patches import correction
from tests.unit.fresh_accounts import fresh_account


@pytest.fixture(autouse=True)
def _corrected() -> None:
    for service in patches.SERVICES:
        patches.install(service)


@pytest.fixture
def account() -> str:
    return fresh_account()


@pytest.fixture
def client(account: str) -> Callable[[str], Any]:
    return lambda service: moto_app.client(service, account, "us-east-1")


def motos_own(method: Any) -> Any:
    return method.__wrapped__


class Owner:
    """A class of moto, so to say."""

    def present(self) -> str:
        return "moto's"


def test_replacing_what_moto_no_longer_has_fails() -> None:
    with pytest.raises(AttributeError, match="absent"):
        correction.replaces(Owner, "absent")


def test_adding_what_moto_has_fails() -> None:
    with pytest.raises(AttributeError, match="moto's Owner has present now"):
        correction.adds(Owner)(Owner.present)


def test_a_key_id_names_its_account(client: Callable[[str], Any], account: str) -> None:
    assert client("sts").get_caller_identity()["Account"] == account


def test_moto_does_not_read_accounts_out_of_key_ids(account: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(iam_models, "iam_backends", {})  # it would set up every partition of every account
    assert motos_own(iam_models.get_account_id_from)(access_key_id(account)) != account


DENIED_WITHOUT_TLS = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "s3:*",
    "Resource": "*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}


def test_a_denial_under_a_condition_does_not_lock_a_bucket() -> None:
    assert IAMPolicyStatement(DENIED_WITHOUT_TLS).is_action_permitted("s3:PutObject") is PermissionResult.NEUTRAL


def test_a_denial_without_a_condition_locks_the_bucket() -> None:
    always = {key: value for key, value in DENIED_WITHOUT_TLS.items() if key != "Condition"}
    assert IAMPolicyStatement(always).is_action_permitted("s3:PutObject") is PermissionResult.DENIED


def test_moto_locks_the_bucket() -> None:
    permitted = motos_own(IAMPolicyStatement.is_action_permitted)
    assert permitted(IAMPolicyStatement(DENIED_WITHOUT_TLS), "s3:PutObject") is PermissionResult.DENIED


def trust(*principals: str) -> str:
    allowed = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": list(principals)}}
    return json.dumps({"Statement": [allowed]})


def test_a_trust_policy_needs_no_version(client: Callable[[str], Any], account: str) -> None:
    client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=trust(account))
    client("iam").update_assume_role_policy(RoleName="role", PolicyDocument=trust("111122223333"))
    document = client("iam").get_role(RoleName="role")["Role"]["AssumeRolePolicyDocument"]
    assert document["Statement"][0]["Principal"] == {"AWS": ["111122223333"]}


def test_moto_wants_a_version(account: str) -> None:
    validator = IAMTrustPolicyDocumentValidator(trust(account))
    validator._validate_syntax()
    with pytest.raises(KeyError):
        BaseIAMPolicyValidator._validate_version(validator)


def test_awss_own_policies_can_be_attached_in_every_account(client: Callable[[str], Any], account: str) -> None:
    client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=trust(account))
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    client("iam").attach_role_policy(RoleName="role", PolicyArn=arn)
    assert client("iam").get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 1
    other = moto_app.client("iam", fresh_account(), "us-east-1")
    assert other.get_policy(PolicyArn=arn)["Policy"]["AttachmentCount"] == 0


def test_moto_reads_the_policies_anew_for_each_account(account: str) -> None:
    backend = iam_models.iam_backends[account]["aws"]
    read = motos_own(IAMBackend._init_aws_policies)
    assert read(backend)[0].versions is not read(backend)[0].versions


@pytest.mark.parametrize("principal", ["{caller}", "arn:aws:iam::{caller}:root", "*"])
def test_a_role_can_be_assumed_by_an_account_that_it_trusts(account: str, principal: str) -> None:
    owner = fresh_account()
    moto_app.client("iam", owner, "us-east-1").create_role(
        RoleName="role", AssumeRolePolicyDocument=trust(principal.format(caller=account))
    )
    sts = moto_app.client("sts", account, "us-east-1")
    assumed = sts.assume_role(RoleArn=f"arn:aws:iam::{owner}:role/role", RoleSessionName="test")
    assert assumed["AssumedRoleUser"]["Arn"] == f"arn:aws:sts::{owner}:assumed-role/role/test"


@pytest.mark.filterwarnings("ignore:Exception.AccessDenied. with code AccessDenied does not match")
@pytest.mark.parametrize("role", ["role/other", "role/missing", "user/someone"])
def test_a_role_that_is_absent_or_trusts_others_cannot_be_assumed(account: str, role: str) -> None:
    owner = fresh_account()
    iam = moto_app.client("iam", owner, "us-east-1")
    iam.create_role(RoleName="other", AssumeRolePolicyDocument=trust("111122223333"))
    sts = moto_app.client("sts", account, "us-east-1")
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole") as refused:
        sts.assume_role(RoleArn=f"arn:aws:iam::{owner}:{role}", RoleSessionName="test")
    assert refused.value.response["Error"]["Code"] == "AccessDenied"


def test_moto_lets_any_role_be_assumed(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TokenResponse, "assume_role", motos_own(TokenResponse.assume_role))
    arn = "arn:aws:iam::111122223333:role/missing"
    assert client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]["AccessKeyId"]


def test_a_composite_alarm_is_refused_by_name(client: Callable[[str], Any]) -> None:
    with pytest.raises(ClientError, match=r"NotImplemented.*put_composite_alarm"):
        client("cloudwatch").put_composite_alarm(AlarmName="both", AlarmRule="TRUE AND NOT FALSE")


def test_the_event_history_is_empty(client: Callable[[str], Any]) -> None:
    assert client("cloudtrail").lookup_events()["Events"] == []


@pytest.mark.parametrize(
    ("response", "operation"),
    [
        (CloudWatchResponse, "describe_alarm_history"),
        (CloudTrailResponse, "lookup_events"),
        (ApplicationAutoScalingResponse, "tag_resource"),
        (ApplicationAutoScalingResponse, "untag_resource"),
        (ApplicationAutoScalingResponse, "list_tags_for_resource"),
    ],
)
def test_operations_that_moto_lacks_are_added(response: type, operation: str) -> None:
    assert getattr(response, operation).__module__.startswith("sagehost.patches")


TARGET: dict[str, Any] = {
    **{"namespace": "sagemaker", "r_id": "endpoint/e/variant/v", "dimension": "sagemaker:variant:DesiredInstanceCount"},
    **{"min_capacity": 1, "max_capacity": 2, "role_arn": None, "suspended_state": None},
}


def register(client: Callable[[str], Any]) -> None:
    """Registers a target, of an endpoint that need not exist."""
    account = client("sts").get_caller_identity()["Account"]
    applicationautoscaling_backends[account]["us-east-1"].register_scalable_target(**TARGET)


def test_a_scalable_target_without_a_role_has_the_service_linked_one(client: Callable[[str], Any]) -> None:
    register(client)
    (target,) = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
        "ScalableTargets"
    ]
    assert target["RoleARN"].endswith("/AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint")


def test_moto_leaves_a_scalable_target_without_a_role(
    client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = motos_own(ApplicationAutoscalingBackend.register_scalable_target)
    monkeypatch.setattr(ApplicationAutoscalingBackend, "register_scalable_target", own)
    register(client)
    (target,) = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")[
        "ScalableTargets"
    ]
    assert "RoleARN" not in target


@pytest.fixture
def endpoint(client: Callable[[str], Any]) -> str:
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client("ec2").modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    made = client("ec2").create_vpc_endpoint(
        VpcId=vpc, ServiceName="com.amazonaws.us-east-1.logs", VpcEndpointType="Interface", PrivateDnsEnabled=False
    )
    return str(made["VpcEndpoint"]["VpcEndpointId"])


def shown(client: Callable[[str], Any], endpoint: str) -> Any:
    return client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"][0]


def test_private_dns_of_an_endpoint_can_be_switched_on(client: Callable[[str], Any], endpoint: str) -> None:
    client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=True)
    assert shown(client, endpoint)["PrivateDnsEnabled"] is True


def test_moto_ignores_private_dns(client: Callable[[str], Any], endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VPCs, "modify_vpc_endpoint", motos_own(VPCs.modify_vpc_endpoint))
    client("ec2").modify_vpc_endpoint(VpcEndpointId=endpoint, PrivateDnsEnabled=True)
    assert shown(client, endpoint)["PrivateDnsEnabled"] is False


def test_a_deleted_endpoint_is_gone(client: Callable[[str], Any], endpoint: str) -> None:
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert client("ec2").describe_vpc_endpoints()["VpcEndpoints"] == []


def test_moto_keeps_a_deleted_endpoint(
    client: Callable[[str], Any], endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(VPCBackend, "delete_vpc_endpoints", motos_own(VPCBackend.delete_vpc_endpoints))
    client("ec2").delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    assert shown(client, endpoint)["State"] == "deleted"


def acls(client: Callable[[str], Any], vpc: str) -> Any:
    return client("ec2").describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]


def test_a_deleted_vpc_takes_its_network_acl_along(client: Callable[[str], Any]) -> None:
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client("ec2").delete_vpc(VpcId=vpc)
    assert acls(client, vpc) == []


def test_moto_keeps_the_network_acl(client: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(VPCBackend, "delete_vpc", motos_own(VPCBackend.delete_vpc))
    vpc = client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    client("ec2").delete_vpc(VpcId=vpc)
    assert len(acls(client, vpc)) == 1
