"""No template is beyond a limit of AWS, and the search for such limits finds what is beyond them."""

import json
import re
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

from tests.unit.constraints import limits
from tests.variants import STACKS

Template = dict[str, Any]
SNAPSHOTS = Path(__file__).parents[1] / "snapshot" / "__snapshots__" / "test_templates"


@pytest.mark.parametrize("path", STACKS)
def test_no_template_is_beyond_a_limit_of_aws(path: str, templates: dict[str, Template]) -> None:
    """At most 100 variables, names `[a-zA-Z_][a-zA-Z0-9_]*`, names and values up to 1,024 characters. Source: SageMaker
    API, EnvironmentKey, EnvironmentValue.

    Descriptions of up to 1,000 characters of Latin-1; inline policies of 10,240 in all; trust policies of 2,048.
    Source: IAM quotas.

    500 resources, 200 outputs, 1 MiB; descriptions, logical ids and exports of their length. Source: CloudFormation
    quotas.

    Every property keeps to CloudFormation's schema and to the service's request model. Source: resource schemas,
    botocore.
    """
    assert list(limits.problems(templates[path])) == []


def test_every_stack_has_a_name_that_cloudformation_takes(stacks: dict[str, cdk.Stack]) -> None:
    """Stack names of up to 128 letters, digits and hyphens. Source: CloudFormation API, StackName."""
    for stack in stacks.values():
        assert re.fullmatch(r"[a-zA-Z][-a-zA-Z0-9]{0,127}", stack.stack_name)


def _of(template: Template, kind: str) -> dict[str, Any]:
    properties: dict[str, Any] = next(r for r in template["Resources"].values() if r["Type"] == kind)["Properties"]
    return properties


def _variant(template: Template) -> dict[str, Any]:
    variant: dict[str, Any] = _of(template, "AWS::SageMaker::EndpointConfig")["ProductionVariants"][0]
    return variant


def _environment(template: Template) -> dict[str, Any]:
    environment: dict[str, Any] = _of(template, "AWS::SageMaker::Model")["PrimaryContainer"]["Environment"]
    return environment


def _many(count: int) -> list[dict[str, str]]:
    return [{"Key": f"k{n}", "Value": ""} for n in range(count)]


ROLE, ENDPOINT, GROUP = "AWS::IAM::Role", "AWS::SageMaker::Endpoint", "AWS::Logs::LogGroup"
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "x" * 10_240}
BEYOND: dict[str, tuple[Callable[[Template], object], str]] = {
    "a number for a variable": (lambda t: _environment(t).update(A=1), "no variable: A=1"),
    "a variable's name": (lambda t: _environment(t).update({"A-B": "1"}), "A-B"),
    "a long variable": (lambda t: _environment(t).update(A="x" * 1025), "1024"),
    "too many variables": (lambda t: _environment(t).update({f"V{n}": "" for n in range(101)}), "100 are allowed"),
    "no instance": (lambda t: _variant(t).update(InitialInstanceCount=0), "greater than or equal to 1"),
    "a short time-out": (lambda t: _variant(t).update(ModelDataDownloadTimeoutInSeconds=59), "60"),
    "an instance type": (lambda t: _variant(t).update(InstanceType="ml.g5.3xlarge"), "ml.g5.3xlarge"),
    "an endpoint's name": (lambda t: _of(t, ENDPOINT).update(EndpointName="a_b"), "a_b"),
    "a long endpoint's name": (lambda t: _of(t, ENDPOINT).update(EndpointName="a" * 64), "63"),
    "17 subnets": (lambda t: _of(t, "AWS::SageMaker::Model")["VpcConfig"].update(Subnets=["s-1"] * 17), "16"),
    "a log group's name": (lambda t: _of(t, GROUP).update(LogGroupName="a b"), "a b"),
    "a long log group's name": (lambda t: _of(t, GROUP).update(LogGroupName="a" * 513), "512"),
    "a retention": (lambda t: _of(t, GROUP).update(RetentionInDays=8), "8"),
    "a role's description": (lambda t: _of(t, ROLE).update(Description="–"), "Description"),
    "a long role's description": (lambda t: _of(t, ROLE).update(Description="x" * 1001), "1000"),
    "a trust policy": (lambda t: _of(t, ROLE).update(AssumeRolePolicyDocument={"S": "x" * 2048}), "2048 are allowed"),
    "inline policies": (
        lambda t: _of(t, ROLE)["Policies"].append({"PolicyName": "x", "PolicyDocument": {"Statement": [STATEMENT]}}),
        "10240 are allowed",
    ),
    "a policy beside its role": (
        lambda t: _of(t, "AWS::IAM::RolePolicy").update(PolicyDocument={"Statement": [STATEMENT]}),
        "10240 are allowed",
    ),
    "51 tags": (lambda t: _of(t, ROLE).update(Tags=_many(51)), "51 tags"),
    "a tag twice": (lambda t: _of(t, ROLE).update(Tags=[{"Key": k, "Value": ""} for k in "aA"]), "in case alone"),
    "a tag's key": (lambda t: _of(t, ROLE).update(Tags=[{"Key": "x" * 128, "Value": ""}]), "no tag"),
    "a tag's sign": (lambda t: _of(t, ROLE).update(Tags=[{"Key": "a&b", "Value": ""}]), "a&b"),
    "a parameter's name": (lambda t: _of(t, "AWS::SSM::Parameter").update(Name="/aws/x"), "/aws/x"),
    "a deep parameter": (lambda t: _of(t, "AWS::SSM::Parameter").update(Name="/a" * 16), "no name"),
    "an export's name": (lambda t: t["Outputs"]["EndpointName"].update(Export={"Name": "a b"}), "a b"),
    "a description": (lambda t: t.update(Description="x" * 1025), "1025 bytes of description"),
    "501 resources": (
        lambda t: t["Resources"].update({f"R{n}": {"Type": "AWS::EC2::RouteTable"} for n in range(501)}),
        "500 are allowed",
    ),
    "a logical id": (lambda t: t["Resources"].update({"a-b": {"Type": GROUP}}), "a-b is no logical id"),
}


@pytest.mark.parametrize(("change", "found"), BEYOND.values(), ids=BEYOND)
def test_what_is_beyond_a_limit_is_found(change: Callable[[Template], object], found: str) -> None:
    """SSM parameters of at most 15 levels, none beginning with `aws` or `ssm`. Source: Systems Manager user guide."""
    template = deepcopy(json.loads((SNAPSHOTS / f"{_RECORDED}[everything-endpoint].json").read_text()))
    change(template)
    assert any(found in problem for problem in limits.problems(template))


_RECORDED = "test_template_matches_snapshot"


@pytest.mark.parametrize(
    ("stack", "kind", "name", "most"),
    [
        ("everything-endpoint", "AWS::EC2::VPCEndpoint", "PolicyDocument", 20_480),
        ("everything-endpoint", "AWS::KMS::Key", "KeyPolicy", 32_768),
        ("everything-endpoint", "AWS::S3::BucketPolicy", "PolicyDocument", 20_480),
    ],
)
def test_a_policy_beyond_its_size_is_found(stack: str, kind: str, name: str, most: int) -> None:
    """Endpoint policies of at most 20,480 characters. Source: Amazon VPC quotas.

    Key policies of at most 32 KiB, bucket policies of 20 KiB. Source: AWS KMS and Amazon S3 quotas.
    """
    template = json.loads((SNAPSHOTS / f"{_RECORDED}[{stack}].json").read_text())
    _of(template, kind)[name] = {"Statement": [STATEMENT | {"Resource": "x" * most}]}
    assert any(f"{most} are allowed" in problem for problem in limits.problems(template))


def test_a_description_that_ec2_refuses_is_found() -> None:
    """Descriptions of groups and rules: 255 of EC2's characters. Source: EC2 API, CreateSecurityGroup."""
    template = json.loads((SNAPSHOTS / f"{_RECORDED}[everything-endpoint].json").read_text())
    _of(template, "AWS::EC2::SecurityGroup")["GroupDescription"] = "Model's group"
    assert any("no description: Model's group" in problem for problem in limits.problems(template))
