"""Identity providers of OpenID Connect: one an account and issuer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account

URL = "https://token.actions.githubusercontent.com"


def provider(**properties: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::IAM::OIDCProvider",
        "Properties": {"Url": URL, "ClientIdList": ["sts.amazonaws.com"], **properties},
    }


def described(account: Account) -> dict[str, Any]:
    arn = f"arn:aws:iam::{account.id}:oidc-provider/token.actions.githubusercontent.com"
    return dict(account.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn))


def test_ref_of_an_identity_provider_is_its_arn(account: Account) -> None:
    role = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "of-the-test",
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Federated": {"Ref": "Provider"}},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                },
            },
        },
    }
    account.deploy("s", {"Provider": provider(), "Role": role})
    trust = account.client("iam").get_role(RoleName="of-the-test")["Role"]["AssumeRolePolicyDocument"]
    assert trust["Statement"]["Principal"]["Federated"].endswith(":oidc-provider/token.actions.githubusercontent.com")


def test_an_identity_provider_has_its_client_ids(account: Account) -> None:
    account.deploy("s", {"Provider": provider()})
    assert described(account)["ClientIDList"] == ["sts.amazonaws.com"]


def test_thumbprints_and_tags_change_in_place(account: Account) -> None:
    account.deploy("s", {"Provider": provider(ThumbprintList=["a" * 40])})
    changed = provider(ThumbprintList=["b" * 40], Tags=[{"Key": "team", "Value": "search"}])
    assert account.update("s", {"Provider": changed}) == "UPDATE_COMPLETE"
    assert described(account)["ThumbprintList"] == ["b" * 40]
    assert {"Key": "team", "Value": "search"} in described(account)["Tags"]


def test_other_client_ids_are_refused_and_what_was_there_stays(account: Account) -> None:
    account.deploy("s", {"Provider": provider()})
    assert account.update("s", {"Provider": provider(ClientIdList=["other"])}) == "UPDATE_ROLLBACK_COMPLETE"
    assert described(account)["ClientIDList"] == ["sts.amazonaws.com"]


def test_a_second_identity_provider_of_one_url_is_refused(account: Account) -> None:
    account.deploy("s", {"Provider": provider()})
    assert account.create("t", {"Provider": provider()}) == "ROLLBACK_COMPLETE"


def test_an_identity_provider_is_deleted_with_its_stack(account: Account) -> None:
    account.deploy("s", {"Provider": provider()})
    account.delete("s")
    assert account.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
