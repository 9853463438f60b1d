"""Each provider against the service's own account of what was made: nothing is dropped on the way."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from sagehost.cloudformation import schema
from sagehost.cloudformation.errors import ResourceFailure
from sagehost.cloudformation.providers import PROVIDERS
from sagehost.cloudformation.providers.coercion import coerce
from sagehost.cloudformation.providers.provider import Resource
from tests.unit.sagehost.cloudformation.templates import NETWORK, ROLE, hosting, log_group, with_properties

if TYPE_CHECKING:
    from tests.unit.sagehost.cloudformation.conftest import Account


@pytest.mark.parametrize("resource_type", PROVIDERS)
def test_a_provider_carries_only_properties_that_its_type_has(resource_type: str) -> None:
    assert PROVIDERS[resource_type].properties <= schema.load(resource_type).properties


@pytest.mark.parametrize("resource_type", PROVIDERS)
def test_a_provider_carries_every_property_that_its_type_requires(resource_type: str) -> None:
    required = set(schema.load(resource_type).json_schema.get("required", []))
    assert required <= PROVIDERS[resource_type].properties


REPLACED_HERE_ONLY = {
    "AWS::IAM::OIDCProvider": {"ClientIdList"},
    "AWS::IAM::Policy": {"PolicyName"},
    "AWS::EC2::VPCGatewayAttachment": {"InternetGatewayId"},
    "AWS::S3::Bucket": {"ObjectLockEnabled"},
}
"""Properties that AWS changes in place and no API call here can: replacing the resource is safe."""


@pytest.mark.parametrize("resource_type", PROVIDERS)
def test_a_property_that_the_schema_lets_change_changes_in_place(resource_type: str) -> None:
    """One that AWS replaces on some conditions is always replaced: the schemas do not tell the conditions."""
    provider, declared = PROVIDERS[resource_type], schema.load(resource_type)
    conditional = declared.json_schema.get("conditionalCreateOnlyProperties", [])
    replaced = {pointer.split("/")[2] for pointer in conditional} | declared.create_only
    more = REPLACED_HERE_ONLY.get(resource_type, set())
    assert provider.replaced_by(provider.properties) == (replaced & provider.properties) | more


def test_a_generated_name_has_stack_and_logical_id_and_the_services_length() -> None:
    def generated(stack_name: str) -> str:
        provider = PROVIDERS["AWS::S3::Bucket"]
        resource = Resource(
            provider=provider,
            account="123456789012",
            region="us-east-1",
            stack_name=stack_name,
            logical_id="Logical",
        )
        return str(provider.parameters(resource, {})["Bucket"])

    assert len(generated("s" * 60)) == 63
    assert generated("stack").startswith("stack-logical-")
    assert generated("stack") != generated("stack")


def shape(service: str, operation: str, account: Account) -> Any:
    return account.client(service).meta.service_model.operation_model(operation).input_shape


def test_strings_of_a_template_become_numbers_and_booleans_of_the_api(account: Account) -> None:
    wanted = shape("cloudwatch", "PutMetricAlarm", account)
    given = {"AlarmName": 5, "Threshold": "0.5", "Period": "60", "ActionsEnabled": "true", "AlarmActions": []}
    assert coerce(given, wanted, "AWS::CloudWatch::Alarm") == {
        "AlarmName": "5",
        "Threshold": 0.5,
        "Period": 60,
        "ActionsEnabled": True,
        "AlarmActions": [],
    }


def test_a_property_that_the_api_lacks_is_refused_with_its_place(account: Account) -> None:
    given = {"Metrics": [{"Id": "m1", "MetricStat": {"Perriod": 60}}]}
    with pytest.raises(
        ResourceFailure, match=r"Property Metrics\.MetricStat\.Perriod of AWS::CloudWatch::Alarm is not"
    ):
        coerce(given, shape("cloudwatch", "PutMetricAlarm", account), "AWS::CloudWatch::Alarm")


def test_a_vpc_with_its_attributes(account: Account) -> None:
    outputs = {
        "Group": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultSecurityGroup"]}},
        "Acl": {"Value": {"Fn::GetAtt": ["Vpc", "DefaultNetworkAcl"]}},
    }
    account.deploy("net", NETWORK, Outputs=outputs)
    ec2, vpc = account.client("ec2"), account.physical_id("net", "Vpc")
    hostnames = ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")
    assert hostnames["EnableDnsHostnames"] == {"Value": True}
    told = account.outputs("net")
    (group,) = ec2.describe_security_groups(GroupIds=[told["Group"]])["SecurityGroups"]
    assert (group["GroupName"], group["VpcId"]) == ("default", vpc)
    (acl,) = ec2.describe_network_acls(NetworkAclIds=[told["Acl"]])["NetworkAcls"]
    assert acl["VpcId"] == vpc


def test_a_security_group_with_inline_rules_has_no_others(account: Account) -> None:
    account.deploy("net", NETWORK)
    group_id = account.physical_id("net", "Group")
    (group,) = account.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
    (egress,) = group["IpPermissionsEgress"]
    assert (egress["FromPort"], egress["ToPort"], egress["IpRanges"]) == (443, 443, [{"CidrIp": "10.0.0.0/16"}])
    assert group["IpPermissions"] == []


def test_separate_security_group_rules_are_created_changed_and_deleted(account: Account) -> None:
    rule = {
        "Type": "AWS::EC2::SecurityGroupIngress",
        "Properties": {
            "GroupId": {"Ref": "Group"},
            "IpProtocol": "tcp",
            "FromPort": 80,
            "ToPort": 80,
            "SourceSecurityGroupId": {"Ref": "Group"},
            "Description": "one",
        },
    }
    to_s3 = {
        "Type": "AWS::EC2::SecurityGroupEgress",
        "Properties": {
            "GroupId": {"Ref": "Group"},
            "IpProtocol": "udp",
            "FromPort": 1,
            "ToPort": 2,
            "CidrIp": "10.1.0.0/16",
        },
    }
    resources = {**NETWORK, "Rule": rule, "Out": to_s3}
    account.deploy("net", resources)

    def rules() -> Any:
        group_id = account.physical_id("net", "Group")
        (group,) = account.client("ec2").describe_security_groups(GroupIds=[group_id])["SecurityGroups"]
        return group["IpPermissions"], group["IpPermissionsEgress"]

    ingress, egress = rules()
    assert [pair["Description"] for pair in ingress[0]["UserIdGroupPairs"]] == ["one"]
    assert len(egress) == 2
    account.update("net", with_properties(resources, "Rule", Description="two"))
    assert [pair["Description"] for pair in rules()[0][0]["UserIdGroupPairs"]] == ["two"]
    account.update("net", NETWORK)
    assert (rules()[0], len(rules()[1])) == ([], 1)


def test_the_policy_of_a_gateway_endpoint_is_carried_and_changed(account: Account) -> None:
    def policy(resource: str) -> dict[str, Any]:
        allowed = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": resource}
        return {"Version": "2012-10-17", "Statement": [allowed]}

    def shown() -> Any:
        endpoint = account.physical_id("net", "S3")
        (described,) = account.client("ec2").describe_vpc_endpoints(VpcEndpointIds=[endpoint])["VpcEndpoints"]
        return json.loads(described["PolicyDocument"])

    account.deploy("net", with_properties(NETWORK, "S3", PolicyDocument=policy("one")))
    assert shown() == policy("one")
    account.update("net", with_properties(NETWORK, "S3", PolicyDocument=policy("two")))
    assert shown() == policy("two")
    account.update("net", NETWORK)
    assert shown()["Statement"][0]["Action"] == "*"


def test_a_gateway_endpoint_routes_from_the_tables_it_is_moved_to(account: Account) -> None:
    tables = {**NETWORK, "Other": NETWORK["Table"]}
    account.deploy("net", tables)
    account.update("net", with_properties(tables, "S3", RouteTableIds=[{"Ref": "Other"}]))

    def has_endpoint(name: str) -> bool:
        table_id = account.physical_id("net", name)
        (table,) = account.client("ec2").describe_route_tables(RouteTableIds=[table_id])["RouteTables"]
        return any(route.get("GatewayId") == account.physical_id("net", "S3") for route in table["Routes"])

    assert (has_endpoint("Table"), has_endpoint("Other")) == (False, True)
    assert account.delete("net") == "DELETE_COMPLETE"


def test_a_public_network_is_created_and_deleted(account: Account) -> None:
    resources = {
        **NETWORK,
        "Gateway": {"Type": "AWS::EC2::InternetGateway"},
        "Attachment": {
            "Type": "AWS::EC2::VPCGatewayAttachment",
            "Properties": {"VpcId": {"Ref": "Vpc"}, "InternetGatewayId": {"Ref": "Gateway"}},
        },
        "Route": {
            "Type": "AWS::EC2::Route",
            "DependsOn": "Attachment",
            "Properties": {
                "RouteTableId": {"Ref": "Table"},
                "DestinationCidrBlock": "0.0.0.0/0",
                "GatewayId": {"Ref": "Gateway"},
            },
        },
    }
    before = account.inventory()
    account.deploy("net", with_properties(resources, "Subnet", MapPublicIpOnLaunch=True))
    ec2 = account.client("ec2")
    (table,) = ec2.describe_route_tables(RouteTableIds=[account.physical_id("net", "Table")])["RouteTables"]
    gateway = account.physical_id("net", "Gateway")
    assert ("0.0.0.0/0", gateway) in [(r.get("DestinationCidrBlock"), r.get("GatewayId")) for r in table["Routes"]]
    (subnet,) = ec2.describe_subnets(SubnetIds=[account.physical_id("net", "Subnet")])["Subnets"]
    assert subnet["MapPublicIpOnLaunch"] is True
    account.delete("net")
    assert account.inventory() == before


def test_a_role_changes_its_inline_and_managed_policies(account: Account) -> None:
    account.deploy("roles", {"Role": ROLE})
    iam, name = account.client("iam"), account.physical_id("roles", "Role")
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["inline"]
    boundary = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    account.update(
        "roles",
        with_properties(
            {"Role": ROLE}, "Role", Policies=[], ManagedPolicyArns=[boundary], PermissionsBoundary=boundary
        ),
    )
    assert iam.list_role_policies(RoleName=name)["PolicyNames"] == []
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    assert [policy["PolicyArn"] for policy in attached] == [boundary]
    assert iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]["PermissionsBoundaryArn"] == boundary


def statement(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def test_inline_and_managed_policies_follow_their_documents_and_principals(account: Account) -> None:
    def resources(action: str, role: str) -> dict[str, Any]:
        properties = {"PolicyDocument": statement(action), "Roles": [{"Ref": role}]}
        return {
            "First": ROLE,
            "Second": ROLE,
            "Inline": {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "apart", **properties}},
            "Managed": {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties},
        }

    before = account.inventory()
    account.deploy("policies", resources("s3:GetObject", "First"))
    account.update("policies", resources("s3:PutObject", "Second"))
    iam = account.client("iam")
    first, second = account.physical_id("policies", "First"), account.physical_id("policies", "Second")
    managed = account.physical_id("policies", "Managed")
    assert iam.list_role_policies(RoleName=first)["PolicyNames"] == ["inline"]
    assert iam.get_role_policy(RoleName=second, PolicyName="apart")["PolicyDocument"] == statement("s3:PutObject")
    entities = iam.list_entities_for_policy(PolicyArn=managed)["PolicyRoles"]
    assert [role["RoleName"] for role in entities] == [second]
    version = iam.get_policy(PolicyArn=managed)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=managed, VersionId=version)["PolicyVersion"]["Document"]
    assert document == statement("s3:PutObject")
    account.delete("policies")
    assert account.inventory() == before


def test_a_log_group_with_retention(account: Account) -> None:
    account.deploy("logs", {"Group": log_group("kept", RetentionInDays="14")})
    (group,) = account.client("logs").describe_log_groups()["logGroups"]
    assert group["retentionInDays"] == 14


def test_a_metric_filter_and_its_transformation(account: Account) -> None:
    transformation = {"MetricName": "Errors", "MetricNamespace": "Tests", "MetricValue": "1", "Unit": "Count"}
    filter_properties = {
        "LogGroupName": {"Ref": "Group"},
        "FilterPattern": "ERROR",
        "MetricTransformations": [transformation],
    }
    resources = {
        "Group": log_group("filtered"),
        "Filter": {"Type": "AWS::Logs::MetricFilter", "Properties": filter_properties},
    }
    account.deploy("filters", resources)
    (found,) = account.client("logs").describe_metric_filters()["metricFilters"]
    assert found["filterPattern"] == "ERROR"
    assert found["metricTransformations"][0]["unit"] == "Count"


def test_hosting_reads_back_as_it_was_written(account: Account) -> None:
    account.deploy("hosting", hosting())
    sagemaker = account.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    described = sagemaker.describe_model(ModelName=model["ModelName"])
    assert described["EnableNetworkIsolation"] is True
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    assert endpoint["EndpointStatus"] == "InService"
    scaling = account.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 2)
    assert "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint" in target["RoleARN"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 8
    alarms = {one["AlarmName"]: one for one in account.client("cloudwatch").describe_alarms()["MetricAlarms"]}
    (alarm,) = alarms.keys() - {one["AlarmName"] for one in policy["Alarms"]}
    assert alarms[alarm]["Dimensions"] == [{"Name": "EndpointName", "Value": endpoint["EndpointName"]}]


def test_what_an_endpoint_captures_changes_with_a_new_configuration(account: Account) -> None:
    def capturing(percentage: int, **environment: str) -> dict[str, Any]:
        capture = {
            "EnableCapture": True,
            "InitialSamplingPercentage": percentage,
            "DestinationS3Uri": {"Fn::Sub": "s3://captured-${AWS::AccountId}/capture"},
            "KmsKeyId": "alias/of-the-test",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"], "CsvContentTypes": ["text/csv"]},
        }
        resources = with_properties(hosting(**environment), "Endpoint", RetainAllVariantProperties=False)
        return with_properties(resources, "Config", DataCaptureConfig=capture)

    def shown() -> Any:
        (config,) = sagemaker.list_endpoint_configs()["EndpointConfigs"]
        described = sagemaker.describe_endpoint_config(EndpointConfigName=config["EndpointConfigName"])
        (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
        summary = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])["DataCaptureConfig"]
        return described["DataCaptureConfig"], summary, account.physical_id("hosting", "Config")

    sagemaker = account.client("sagemaker")
    account.deploy("hosting", capturing(100))
    config, summary, first = shown()
    assert config["DestinationS3Uri"] == summary["DestinationS3Uri"] == f"s3://captured-{account.id}/capture"
    assert config["CaptureContentTypeHeader"]["CsvContentTypes"] == ["text/csv"]
    assert summary["CurrentSamplingPercentage"] == 100
    broken = capturing(20, MAX_INPUT_LENGTH="9000")
    assert account.update("hosting", broken) == "UPDATE_ROLLBACK_COMPLETE"
    assert shown() == (config, summary, first)
    assert account.update("hosting", capturing(20)) == "UPDATE_COMPLETE"
    config, summary, second = shown()
    assert (config["InitialSamplingPercentage"], summary["CurrentSamplingPercentage"]) == (20, 20)
    assert second != first


def test_bounds_and_targets_of_auto_scaling_change_in_place(account: Account) -> None:
    account.deploy("hosting", hosting())
    resources = with_properties(hosting(), "Target", MaxCapacity=4)
    configuration = {**resources["Scaling"]["Properties"]["TargetTrackingScalingPolicyConfiguration"], "TargetValue": 3}
    resources = with_properties(resources, "Scaling", TargetTrackingScalingPolicyConfiguration=configuration)
    account.update("hosting", resources)
    scaling = account.client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert (target["MaxCapacity"], policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"]) == (4, 3)


def test_scheduled_actions_of_a_scalable_target_are_added_changed_and_removed(account: Account) -> None:
    scaling = account.client("application-autoscaling")

    def scheduled(*actions: tuple[str, int, int]) -> Any:
        return with_properties(
            hosting(),
            "Target",
            ScheduledActions=[
                {
                    "ScheduledActionName": name,
                    "Schedule": f"cron(0 {hour} * * ? *)",
                    "Timezone": "Europe/Berlin",
                    "ScalableTargetAction": {"MinCapacity": low},
                }
                for name, hour, low in actions
            ],
        )

    def shown() -> Any:
        found = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
        assert {one["Timezone"] for one in found} <= {"Europe/Berlin"}
        return [(a["ScheduledActionName"], a["Schedule"], a["ScalableTargetAction"]["MinCapacity"]) for a in found]

    account.deploy("hosting", scheduled(("morning", 8, 2), ("night", 20, 1)))
    assert shown() == [("morning", "cron(0 8 * * ? *)", 2), ("night", "cron(0 20 * * ? *)", 1)]
    account.update("hosting", scheduled(("morning", 7, 2), ("noon", 12, 1)))
    assert shown() == [("morning", "cron(0 7 * * ? *)", 2), ("noon", "cron(0 12 * * ? *)", 1)]
    account.update("hosting", hosting())
    assert shown() == []


def test_a_scalable_target_takes_the_tags_of_its_stack_and_loses_them(account: Account) -> None:
    scaling = account.client("application-autoscaling")

    def tags() -> Any:
        (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"]

    account.deploy("hosting", hosting(), Tags=[{"Key": "stage", "Value": "dev"}, {"Key": "team", "Value": "ml"}])
    assert tags() == {"stage": "dev", "team": "ml"}
    account.update("hosting", hosting(), Tags=[{"Key": "stage", "Value": "prod"}])
    assert tags() == {"stage": "prod"}


def test_an_endpoint_that_does_not_start_fails_its_stack_with_the_containers_reason(account: Account) -> None:
    before = account.inventory()
    assert account.create("hosting", hosting(MAX_INPUT_LENGTH="9000")) == "ROLLBACK_COMPLETE"
    assert "Failed" in account.reason("hosting", "CREATE_FAILED")
    left = account.inventory()
    assert {key for key in left if left[key] != before[key]} <= {"logs.describe_log_groups"}


def test_alarms_and_dashboards(account: Account) -> None:
    resources = {
        "Alarm": with_properties(hosting(), "Alarm", Dimensions=[])["Alarm"],
        "Board": {"Type": "AWS::CloudWatch::Dashboard", "Properties": {"DashboardBody": '{"widgets":[]}'}},
    }
    before = account.inventory()
    account.deploy("watch", resources)
    cloudwatch = account.client("cloudwatch")
    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    assert alarm["AlarmName"] == account.physical_id("watch", "Alarm")
    board = cloudwatch.get_dashboard(DashboardName=account.physical_id("watch", "Board"))
    assert board["DashboardBody"] == '{"widgets":[]}'
    account.delete("watch")
    assert account.inventory() == before


def test_topics_their_policies_and_subscriptions(account: Account) -> None:
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "sns:Publish"}]}
    resources = {
        "Topic": {
            "Type": "AWS::SNS::Topic",
            "Properties": {"Subscription": [{"Protocol": "email", "Endpoint": "inside@example.com"}]},
        },
        "Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {"PolicyDocument": policy, "Topics": [{"Ref": "Topic"}]},
        },
        "Apart": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Ref": "Topic"},
                "Protocol": "https",
                "Endpoint": "https://example.com",
                "FilterPolicy": {"level": ["error"]},
                "RawMessageDelivery": True,
            },
        },
    }
    account.deploy("topics", resources)
    sns, topic = account.client("sns"), account.physical_id("topics", "Topic")
    endpoints = {one["Endpoint"] for one in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]}
    assert endpoints == {"inside@example.com", "https://example.com"}
    assert json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"]) == policy
    apart = sns.get_subscription_attributes(SubscriptionArn=account.physical_id("topics", "Apart"))["Attributes"]
    assert (json.loads(apart["FilterPolicy"]), apart["RawMessageDelivery"]) == ({"level": ["error"]}, "true")
    account.update("topics", {"Topic": {"Type": "AWS::SNS::Topic"}})
    assert sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"] == []
    restored = json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])
    assert restored["Statement"][0]["Effect"] == "Allow"


def test_parameters_with_and_without_a_name(account: Account) -> None:
    def parameter(**properties: Any) -> dict[str, Any]:
        tagged = {"Type": "String", "Value": "v", "Tags": {"a": "b"}, **properties}
        return {"Type": "AWS::SSM::Parameter", "Properties": tagged}

    outputs = {"Value": {"Value": {"Fn::GetAtt": ["Named", "Value"]}}}
    account.deploy("parameters", {"Named": parameter(Name="/a/b"), "Unnamed": parameter()}, Outputs=outputs)
    ssm = account.client("ssm")
    unnamed = account.physical_id("parameters", "Unnamed")
    assert ssm.get_parameter(Name="/a/b")["Parameter"]["Value"] == account.outputs("parameters")["Value"] == "v"
    assert unnamed.startswith("parameters-Unnamed-")
    tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=unnamed)["TagList"]
    assert {"Key": "a", "Value": "b"} in tags


def test_a_parameter_is_updated_and_one_of_somebody_else_is_not_overwritten(account: Account) -> None:
    def parameter(value: str) -> dict[str, Any]:
        return {"Named": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "n", "Type": "String", "Value": value}}}

    account.deploy("first", parameter("a"))
    assert account.update("first", parameter("b")) == "UPDATE_COMPLETE"
    assert account.create("second", parameter("c")) == "ROLLBACK_COMPLETE"
    assert "identifier 'n' already exists" in account.reason("second", "CREATE_FAILED")
    assert account.client("ssm").get_parameter(Name="n")["Parameter"]["Value"] == "b"


def test_a_bucket_as_the_cdk_bootstrap_makes_it(account: Account) -> None:
    name = f"assets-{account.id}"
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
    properties = {
        "BucketName": name,
        "AccessControl": "Private",
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        },
        "PublicAccessBlockConfiguration": {"BlockPublicAcls": True, "BlockPublicPolicy": "true"},
        "VersioningConfiguration": {"Status": "Enabled"},
        "LifecycleConfiguration": {
            "Rules": [
                {"Id": "Old", "Status": "Enabled", "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
                {"Id": "Young", "Status": "Enabled", "ExpirationInDays": 7, "Prefix": "tmp/"},
            ]
        },
        "Tags": [{"Key": "a", "Value": "b"}],
    }
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy},
        },
    }
    account.deploy("assets", resources)
    s3 = account.client("s3")
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert encryption[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    rules = {rule["ID"]: rule for rule in s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]}
    assert rules["Old"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert (rules["Young"]["Expiration"], rules["Young"]["Filter"]) == ({"Days": 7}, {"Prefix": "tmp/"})
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"] is True
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == [{"Key": "a", "Value": "b"}]
    s3.put_object(Bucket=name, Key="allowed-under-the-policy", Body=b"")
    assert account.delete("assets") == "DELETE_FAILED"
    (reason,) = [
        reason for name, status, reason in account.events("assets") if (name, status) == ("Bucket", "DELETE_FAILED")
    ]
    assert "BucketNotEmpty" in str(reason)


def test_a_repository_as_the_cdk_bootstrap_makes_it(account: Account) -> None:
    untagged = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 365}
    lifecycle = {"rules": [{"rulePriority": 1, "selection": untagged, "action": {"type": "expire"}}]}
    properties = {
        "RepositoryName": "assets",
        "ImageTagMutability": "IMMUTABLE",
        "LifecyclePolicy": {"LifecyclePolicyText": json.dumps(lifecycle)},
        "RepositoryPolicyText": {
            "Version": "2012-10-17",
            "Statement": [{"Sid": "Read", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}],
        },
    }
    outputs = {"Uri": {"Value": {"Fn::GetAtt": ["Repository", "RepositoryUri"]}}}
    account.deploy("ecr", {"Repository": {"Type": "AWS::ECR::Repository", "Properties": properties}}, Outputs=outputs)
    ecr = account.client("ecr")
    (repository,) = ecr.describe_repositories()["repositories"]
    assert (repository["imageTagMutability"], repository["repositoryUri"]) == (
        "IMMUTABLE",
        account.outputs("ecr")["Uri"],
    )
    assert json.loads(ecr.get_lifecycle_policy(repositoryName="assets")["lifecyclePolicyText"]) == lifecycle
    policy = json.loads(ecr.get_repository_policy(repositoryName="assets")["policyText"])
    assert policy == properties["RepositoryPolicyText"]
