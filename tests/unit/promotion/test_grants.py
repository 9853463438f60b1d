"""What a template lets whom do: which changes of one are seen, and how each is told."""

from typing import Any

import pytest

from mistral7b.promotion.grants import Grant, grants

PSEUDO = {"AWS::Partition": "aws", "AWS::AccountId": "111111111111", "AWS::Region": "us-east-1"}
ALLOW: dict[str, Any] = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a/*"}


def of(kind: str, path: Any = "", **properties: Any) -> dict[str, Any]:
    """A template of one resource, `One`."""
    metadata = {"Metadata": {"aws:cdk:path": path}} if path else {}
    return {"Resources": {"One": {"Type": kind, "Properties": properties, **metadata}}}


def found(template: dict[str, Any]) -> set[Grant]:
    return set(grants(template, PSEUDO))


def texts(template: dict[str, Any]) -> list[str]:
    return sorted(one.text for one in found(template))


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


ROLE = {"AssumeRolePolicyDocument": policy({**ALLOW, "Action": "sts:AssumeRole", "Principal": {"Service": "a"}})}


def role(**changes: Any) -> dict[str, Any]:
    """A role with one statement."""
    return of("AWS::IAM::Role", Policies=[{"PolicyDocument": policy({**ALLOW, **changes})}])


PORTS = {"FromPort": 443, "ToPort": 443}
INGRESS: dict[str, Any] = {"GroupId": "sg-1", "CidrIp": "10.0.0.0/8", "IpProtocol": "tcp", **PORTS}
READS = "s3:GetObject on arn:aws:s3:::a/*"
TOLD: dict[str, dict[str, Any]] = {
    f"Allow ${{One}}: {READS}": role(),
    f"Allow ${{One}}: {READS} if StringEquals aws:a us-east-1": role(
        Condition={"StringEquals": {"aws:a": {"Ref": "AWS::Region"}}}
    ),
    "Allow ${One}: Resource ${B.Arn}; NotAction a:*": of(
        "AWS::IAM::Role",
        Policies=[policy({"Effect": "Allow", "Resource": {"Fn::GetAtt": ["B", "Arn"]}, "NotAction": "a:*"})],
    ),
    f"Allow ${{Other}}: {READS}": of("AWS::IAM::RolePolicy", RoleName={"Ref": "Other"}, PolicyDocument=policy(ALLOW)),
    f"Allow mine: {READS}": of("AWS::IAM::Policy", Roles=["mine"], PolicyDocument=policy(ALLOW)),
    "Allow ${endpoint/Role}: ManagedPolicy arn:a": of(
        "AWS::IAM::Role", "dev/endpoint/Role/Resource", ManagedPolicyArns=["arn:a"]
    ),
    "Deny ${One}: AllBut arn:b": of("AWS::IAM::Role", PermissionsBoundary="arn:b"),
    "Allow AWS b: kms:* on ${One}": of(
        "AWS::KMS::Key",
        KeyPolicy=policy({"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": "b"}}),
    ),
    f"Deny *: {READS} by ${{One}}": of(
        "AWS::S3::BucketPolicy", PolicyDocument=policy({**ALLOW, "Effect": "Deny", "Principal": "*"})
    ),
    "Allow sg-1: SecurityGroupIngress CidrIp 10.0.0.0/8; IpProtocol tcp; FromPort 443; ToPort 443": of(
        "AWS::EC2::SecurityGroupIngress", **INGRESS
    ),
    'Allow ${One}: Computed {"Statement": []}': of("AWS::Logs::ResourcePolicy", PolicyDocument='{"Statement": []}'),
}


@pytest.mark.parametrize(("expected", "template"), TOLD.items(), ids=TOLD)
def test_each_kind_of_grant_is_one_line(expected: str, template: dict[str, Any]) -> None:
    assert texts(template) == [expected]


@pytest.mark.parametrize(
    ("kind", "given", "opened"),
    [
        ("AWS::EC2::VPCEndpoint", {"PolicyDocument": policy()}, "Allow *: * on ${One}"),
        ("AWS::KMS::Key", {"KeyPolicy": policy()}, "Allow *: * on ${One}"),
        (
            "AWS::EC2::SecurityGroup",
            {"SecurityGroupEgress": []},
            "Allow ${One.GroupId}: SecurityGroupEgress CidrIp 0.0.0.0/0; IpProtocol -1",
        ),
    ],
)
def test_aws_defaults_of_policies_and_rules_are_grants(kind: str, given: Any, opened: str) -> None:
    assert texts(of(kind, **given)) == []
    assert texts(of(kind)) == [opened]


def test_a_statement_that_moves_between_policies_of_its_role_is_the_same() -> None:
    inline = of("AWS::IAM::Role", Policies=[{"PolicyName": "A", "PolicyDocument": policy({"Sid": "A", **ALLOW})}])
    apart = of("AWS::IAM::Role")
    rest = {
        "PolicyName": "B",
        "PolicyDocument": policy({**ALLOW, "Action": ["s3:GetObject"]}),
        "RoleName": {"Ref": "One"},
    }
    apart["Resources"]["Policy"] = {"Type": "AWS::IAM::RolePolicy", "Properties": rest}
    assert found(inline) == found(apart)


def test_a_rule_in_its_group_is_the_same_as_one_apart() -> None:
    rule = {"IpProtocol": "tcp", "CidrIp": "10.0.0.0/8"}
    inline = of("AWS::EC2::SecurityGroup", SecurityGroupIngress=[{**rule, "Description": "a"}], SecurityGroupEgress=[])
    apart = of("AWS::EC2::SecurityGroup", SecurityGroupEgress=[])
    own = {**rule, "GroupId": {"Fn::GetAtt": ["One", "GroupId"]}}
    apart["Resources"]["Rule"] = {"Type": "AWS::EC2::SecurityGroupIngress", "Properties": own}
    assert found(inline) == found(apart)
    assert {one.is_rule for one in found(inline)} == {True}


@pytest.mark.parametrize(
    "after",
    [
        {**ALLOW, "Action": ["s3:GetObject", "s3:PutObject"]},
        {**ALLOW, "Resource": "*"},
        {**ALLOW, "Condition": {"StringEquals": {"a": "b"}}},
        {**ALLOW, "Effect": "Deny"},
        {"Fn::If": ["Always", ALLOW, {"Ref": "AWS::NoValue"}]},
    ],
)
def test_a_statement_that_differs_is_another(after: Any) -> None:
    before = of("AWS::IAM::Role", Policies=[policy(ALLOW)])
    assert found(of("AWS::IAM::Role", Policies=[policy(after)])).isdisjoint(found(before))


@pytest.mark.parametrize("section", ["Parameters", "Mappings", "Conditions"])
def test_what_intrinsic_functions_lead_to_is_compared(section: str) -> None:
    template = of("AWS::IAM::Role", **ROLE)
    assert found(template | {section: {"A": {"Default": "a"}}}) != found(template | {section: {"A": {"Default": "b"}}})


def test_a_resource_that_loses_its_condition_is_another() -> None:
    template = of("AWS::IAM::Role", **ROLE)
    conditional = {"Resources": {"One": {**template["Resources"]["One"], "Condition": "Wanted"}}}
    assert found(template).isdisjoint(found(conditional))


def test_the_bootstrap_version_and_texts_with_the_word_are_not_grants() -> None:
    template = of("AWS::SNS::Topic", DisplayName="Statement of work")
    assert found(template | {"Parameters": {"BootstrapVersion": {"Type": "String"}}}) == set()


@pytest.mark.parametrize(
    ("principal", "public"),
    [({"Principal": "*"}, True), ({"Principal": {"AWS": ["a", "*"]}}, True), ({"NotPrincipal": {"AWS": "a"}}, True),
     ({"Principal": {"AWS": "a"}}, False), ({}, False)],
)  # fmt: skip
def test_a_grant_to_any_principal_is_public(principal: dict[str, Any], public: bool) -> None:
    [one] = found(of("AWS::SNS::TopicPolicy", PolicyDocument=policy({**ALLOW, **principal})))
    assert one.is_public is public
