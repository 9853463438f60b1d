from typing import Any

import pytest

from sagemaker_tgi.arns import INVOKE_ACTIONS


def resources(template: dict[str, Any], resource_type: str) -> list[dict[str, Any]]:
    return [r["Properties"] for r in template["Resources"].values() if r["Type"] == resource_type]


def endpoints(template: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {e["VpcEndpointType"]: e for e in resources(template, "AWS::EC2::VPCEndpoint")}


def test_an_own_vpc_has_the_range_and_zones_of_the_file(templates: dict[str, Any]) -> None:
    template = templates["everything/endpoint"]
    [vpc] = resources(template, "AWS::EC2::VPC")
    assert vpc["CidrBlock"] == "172.16.0.0/20"
    zones = [subnet["AvailabilityZone"] for subnet in resources(template, "AWS::EC2::Subnet")]
    assert zones == ["us-east-1b", "us-east-1d", "us-east-1f"]


@pytest.mark.parametrize("environment", ["dev", "staging", "prod", "everything", "existing-vpc", "existing-routes"])
def test_the_vpc_has_no_route_to_the_internet(environment: str, templates: dict[str, Any]) -> None:
    types = {resource["Type"] for resource in templates[f"{environment}/endpoint"]["Resources"].values()}
    assert not types & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"}


def test_zones_that_are_only_counted_are_those_that_offer_the_instances_by_id(templates: dict[str, Any]) -> None:
    subnets = resources(templates["dev/endpoint"], "AWS::EC2::Subnet")
    assert [subnet["AvailabilityZoneId"] for subnet in subnets] == ["use1-az1", "use1-az2"]
    assert not [subnet for subnet in subnets if "AvailabilityZone" in subnet]


def test_private_callers_reach_only_endpoints_of_the_account(templates: dict[str, Any]) -> None:
    [statement] = endpoints(templates["archive/endpoint"])["Interface"]["PolicyDocument"]["Statement"]
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/*"
    assert (statement["Action"], statement["Resource"]) == (INVOKE_ACTIONS, arn)


def test_vpc_endpoints_in_a_shared_vpc_have_no_policy(templates: dict[str, Any]) -> None:
    ways = endpoints(templates["existing-vpc/endpoint"])
    assert {kind: way.get("PolicyDocument") for kind, way in ways.items()} == {"Interface": None, "Gateway": None}


def test_an_existing_vpc_gets_an_endpoint_for_callers_and_no_subnets(templates: dict[str, Any]) -> None:
    template = templates["existing-vpc/endpoint"]
    assert resources(template, "AWS::EC2::VPC") == resources(template, "AWS::EC2::Subnet") == []
    interface = endpoints(template)["Interface"]
    assert interface["VpcId"] == "vpc-0123456789abcdef0"
    assert interface["SubnetIds"] == ["subnet-0123456789abcdef0", "subnet-0123456789abcdef2"]


def test_an_existing_vpc_with_its_own_routes_gets_only_a_security_group(templates: dict[str, Any]) -> None:
    types = {resource["Type"] for resource in templates["existing-routes/endpoint"]["Resources"].values()}
    assert {name for name in types if "::EC2::" in name} == {"AWS::EC2::SecurityGroup"}


def test_the_model_may_reach_the_prefix_list_of_the_file(templates: dict[str, Any]) -> None:
    groups = resources(templates["china/endpoint"], "AWS::EC2::SecurityGroup")
    lists = [r["DestinationPrefixListId"] for g in groups for r in g["SecurityGroupEgress"] if "CidrIp" not in r]
    assert lists == ["pl-0123456789abcdef0"]


@pytest.mark.parametrize("environment", ["dev", "everything", "existing-routes"])
def test_the_models_security_group_has_no_ingress(environment: str, templates: dict[str, Any]) -> None:
    groups = resources(templates[f"{environment}/endpoint"], "AWS::EC2::SecurityGroup")
    [model] = [g for g in groups if any("DestinationPrefixListId" in rule for rule in g["SecurityGroupEgress"])]
    assert "SecurityGroupIngress" not in model
    assert [rule["ToPort"] for rule in model["SecurityGroupEgress"]] == [443]
