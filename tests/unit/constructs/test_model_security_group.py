from collections.abc import Callable
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_ec2 as ec2

from sagemaker_tgi import InvalidPropsError, ModelSecurityGroup

Resources = Callable[[cdk.Stack, str], list[dict[str, Any]]]


def vpc_of(stack: cdk.Stack) -> ec2.IVpc:
    return ec2.Vpc.from_vpc_attributes(stack, "Vpc", vpc_id="vpc-1", availability_zones=["eu-west-1a"])


def stack_in(region: str | None) -> cdk.Stack:
    return cdk.Stack(cdk.App(), "Test", env=cdk.Environment(account="111122223333", region=region))


def test_the_only_rule_is_https_to_the_regions_s3(stack: cdk.Stack, resources: Resources) -> None:
    ModelSecurityGroup(stack, "Model", vpc=vpc_of(stack))
    [group] = resources(stack, "AWS::EC2::SecurityGroup")
    assert "SecurityGroupIngress" not in group["Properties"]
    [rule] = group["Properties"]["SecurityGroupEgress"]
    assert rule["DestinationPrefixListId"] == "pl-6da54004"
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert not {"CidrIp", "CidrIpv6", "DestinationSecurityGroupId"} & rule.keys()


def test_no_rule_is_a_resource_of_its_own_which_would_leave_the_default_one_in_place(
    stack: cdk.Stack, resources: Resources
) -> None:
    ModelSecurityGroup(stack, "Model", vpc=vpc_of(stack))
    assert resources(stack, "AWS::EC2::SecurityGroupEgress") == []
    assert resources(stack, "AWS::EC2::SecurityGroupIngress") == []


def test_the_group_takes_no_further_rules(stack: cdk.Stack, resources: Resources) -> None:
    group = ModelSecurityGroup(stack, "Model", vpc=vpc_of(stack)).security_group
    group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.all_traffic())
    assert resources(stack, "AWS::EC2::SecurityGroupEgress") == []
    assert len(resources(stack, "AWS::EC2::SecurityGroup")[0]["Properties"]["SecurityGroupEgress"]) == 1


def test_a_prefix_list_that_is_given_wins_over_the_table(stack: cdk.Stack, resources: Resources) -> None:
    ModelSecurityGroup(stack, "Model", vpc=vpc_of(stack), s3_prefix_list_id="pl-0123abcd")
    [group] = resources(stack, "AWS::EC2::SecurityGroup")
    assert group["Properties"]["SecurityGroupEgress"][0]["DestinationPrefixListId"] == "pl-0123abcd"


@pytest.mark.parametrize(("region", "where"), [("me-south-1", "me-south-1"), (None, "a stack without a region")])
def test_a_region_whose_prefix_list_is_not_known_is_refused(region: str | None, where: str) -> None:
    stack = stack_in(region)
    with pytest.raises(InvalidPropsError) as error:
        ModelSecurityGroup(stack, "Model", vpc=vpc_of(stack))
    assert f"the id of S3's prefix list in {where} is not known" in str(error.value)
    assert "aws ec2 describe-prefix-lists" in str(error.value)


def test_a_region_whose_prefix_list_is_not_known_works_with_the_id() -> None:
    stack = stack_in("me-south-1")
    group = ModelSecurityGroup(stack, "Model", vpc=vpc_of(stack), s3_prefix_list_id="pl-0123abcd")
    assert group.security_group.security_group_id
