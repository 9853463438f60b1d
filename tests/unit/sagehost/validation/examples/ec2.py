"""EC2."""

from typing import Any

from tests.unit.sagehost.validation.examples import Cases, Json

GROUP: Json = {"GroupName": "g", "Description": "d", "VpcId": "$vpc"}
PERMISSION: Json = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
GATEWAY: Json = {"VpcId": "$vpc", "ServiceName": "com.amazonaws.us-east-1.s3"}
INTERFACE: Json = {
    **GATEWAY,
    "ServiceName": "com.amazonaws.us-east-1.sagemaker.runtime",
    "VpcEndpointType": "Interface",
}


def _rule(**changes: Any) -> Json:
    return {"GroupId": "$group", "IpPermissions": [{**PERMISSION, **changes}]}


def _tags(*tags: tuple[str, str]) -> Json:
    return {"Resources": ["$vpc"], "Tags": [{"Key": key, "Value": value} for key, value in tags]}


EXAMPLES: Cases = {
    "subnet in two zones": (
        "CreateSubnet",
        {"VpcId": "$vpc", "CidrBlock": "10.0.2.0/28", "AvailabilityZone": "us-east-1a"},
        {"AvailabilityZoneId": "use1-az1"},
        {},
    ),
    "subnet of /29": (
        "CreateSubnet",
        {"VpcId": "$vpc"},
        {"CidrBlock": "10.0.2.0/29"},
        {"CidrBlock": "10.0.2.0/28"},
    ),
    "group named sg-": ("CreateSecurityGroup", GROUP, {"GroupName": "sg-1"}, {}),
    "group beyond ASCII": ("CreateSecurityGroup", GROUP, {"GroupName": "für"}, {}),
    "long group": ("CreateSecurityGroup", GROUP, {"GroupName": "g" * 256}, {"GroupName": "g" * 255}),
    "group's description": ("CreateSecurityGroup", GROUP, {"Description": "a\nb"}, {"Description": "[a] + (b)!"}),
    "group of an unknown VPC": ("CreateSecurityGroup", GROUP, {"VpcId": "vpc-00000000"}, {}),
    "rule's description": (
        "AuthorizeSecurityGroupIngress",
        _rule(),
        _rule(IpRanges=[{"CidrIp": "10.0.0.0/16", "Description": "<a>"}]),
        _rule(IpRanges=[{"CidrIp": "10.0.0.0/16", "Description": "a"}]),
    ),
    "protocol": ("AuthorizeSecurityGroupIngress", _rule(), _rule(IpProtocol="tcpx"), _rule(IpProtocol="6")),
    "rule without ports": ("AuthorizeSecurityGroupEgress", _rule(), _rule(FromPort=None), _rule(IpProtocol="-1")),
    "ports reversed": ("AuthorizeSecurityGroupEgress", _rule(), _rule(FromPort=444), _rule(FromPort=80)),
    "rule for nobody": (
        "AuthorizeSecurityGroupEgress",
        _rule(),
        _rule(IpRanges=[]),
        _rule(IpRanges=[], PrefixListIds=[{"PrefixListId": "pl-1"}]),
    ),
    "reserved tag": ("CreateTags", {}, _tags(("aws:x", "1")), _tags(("aws:cloudformation:stack-name", "1"))),
    "long tag key": ("CreateTags", {}, _tags(("x" * 129, "1")), _tags(("x" * 128, "1"))),
    "long tag value": ("CreateTags", {}, _tags(("x", "1" * 257)), _tags(("x", "1" * 256))),
    "tag given twice": ("CreateTags", {}, _tags(("x", "1"), ("x", "2")), _tags(("x", "1"), ("X", "2"))),
    "gateway to the runtime": ("CreateVpcEndpoint", INTERFACE, {"VpcEndpointType": "Gateway"}, {}),
    "gateway with subnets": ("CreateVpcEndpoint", GATEWAY, {"SubnetIds": ["$subnet"]}, {"RouteTableIds": ["$table"]}),
    "interface with tables": (
        "CreateVpcEndpoint",
        INTERFACE,
        {"RouteTableIds": ["$table"]},
        {"SubnetIds": ["$subnet"]},
    ),
    "service of another region": ("CreateVpcEndpoint", GATEWAY, {"ServiceName": "com.amazonaws.eu-west-1.s3"}, {}),
    "endpoint's policy": (
        "CreateVpcEndpoint",
        GATEWAY,
        {"PolicyDocument": "{"},
        {
            "PolicyDocument": '{"Version": "2012-10-17", "Statement": '
            '[{"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}'
        },
    ),
    "unknown group": (
        "CreateVpcEndpoint",
        INTERFACE,
        {"SecurityGroupIds": ["sg-00000000"]},
        {"SecurityGroupIds": ["$group"]},
    ),
    "unknown subnet": ("CreateVpcEndpoint", INTERFACE, {"SubnetIds": ["subnet-00000000"]}, {}),
    "unknown route table of an endpoint": ("CreateVpcEndpoint", GATEWAY, {"RouteTableIds": ["rtb-00000000"]}, {}),
    "group of another VPC": ("CreateVpcEndpoint", INTERFACE, {"SecurityGroupIds": ["$other_group"]}, {}),
    "subnet of another VPC": ("CreateVpcEndpoint", INTERFACE, {"SubnetIds": ["$other_subnet"]}, {}),
    "route table of another VPC": ("CreateVpcEndpoint", GATEWAY, {"RouteTableIds": ["$other_table"]}, {}),
    "interface in use": (
        "DeleteNetworkInterface",
        {},
        {"NetworkInterfaceId": "$used"},
        {"NetworkInterfaceId": "$unused"},
    ),
    "full subnet": ("CreateVpcEndpoint", INTERFACE, {"SubnetIds": ["$full"]}, {"SubnetIds": ["$subnet"]}),
    "unknown route table": (
        "AssociateRouteTable",
        {"SubnetId": "$full"},
        {"RouteTableId": "rtb-00000000"},
        {"RouteTableId": "$second_table"},
    ),
    "table of another VPC": (
        "AssociateRouteTable",
        {"RouteTableId": "$table"},
        {"SubnetId": "$other_subnet"},
        {"SubnetId": "$full"},
    ),
    "subnet with a table": (
        "AssociateRouteTable",
        {"SubnetId": "$subnet"},
        {"RouteTableId": "$second_table"},
        {"RouteTableId": "$table"},
    ),
    "default group": ("DeleteSecurityGroup", {}, {"GroupId": "$default_group"}, {"GroupId": "$group"}),
    "two attributes": (
        "ModifyVpcAttribute",
        {"VpcId": "$vpc", "EnableDnsSupport": {"Value": True}},
        {"EnableDnsHostnames": {"Value": True}},
        {},
    ),
}
