import json
from typing import Any, get_args

import pytest

from mistral7b.environment.schema import RetentionDays
from mistral7b_stacks.base import RETENTION_DAYS
from tests.variants import ENVIRONMENTS, PROMOTED


def only(template: dict[str, Any], resource_type: str) -> dict[str, Any]:
    [resource] = [r for r in template["Resources"].values() if r["Type"] == resource_type]
    assert isinstance(resource, dict)
    return resource


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_the_container_gets_the_environments_settings(environment: str, templates: dict[str, Any]) -> None:
    settings = ENVIRONMENTS[environment]
    container = only(templates[f"{environment}/endpoint"], "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]
    assert container["Environment"] == settings.container_environment()
    assert container["Image"] == settings.image_uri
    assert container["ModelDataSource"]["S3DataSource"]["S3Uri"] == settings.artifact_uri


def test_a_setting_of_the_file_reaches_the_container_as_a_string(templates: dict[str, Any]) -> None:
    model = only(templates["everything/endpoint"], "AWS::SageMaker::Model")["Properties"]
    assert model["PrimaryContainer"]["Environment"]["MAX_CONCURRENT_REQUESTS"] == "4"


@pytest.mark.parametrize("stack", ["dev/endpoint", "archive/endpoint", "base-model/endpoint", "everything/endpoint"])
def test_every_variable_of_the_container_is_a_string(stack: str, templates: dict[str, Any]) -> None:
    container = only(templates[stack], "AWS::SageMaker::Model")["Properties"]["PrimaryContainer"]
    assert {type(value) for value in container["Environment"].values()} == {str}


def test_every_gpu_of_a_larger_instance_serves_a_shard(templates: dict[str, Any]) -> None:
    template = templates["base-model/endpoint"]
    [variant] = only(template, "AWS::SageMaker::EndpointConfig")["Properties"]["ProductionVariants"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.g5.12xlarge", 2)
    model = only(template, "AWS::SageMaker::Model")["Properties"]
    assert model["PrimaryContainer"]["Environment"]["SM_NUM_GPUS"] == "4"


def test_time_outs_of_the_file_are_the_variants(templates: dict[str, Any]) -> None:
    config = only(templates["everything/endpoint"], "AWS::SageMaker::EndpointConfig")["Properties"]
    [variant] = config["ProductionVariants"]
    assert variant["ModelDataDownloadTimeoutInSeconds"] == 900
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == 600


def test_an_archive_is_unpacked_by_sagemaker(templates: dict[str, Any]) -> None:
    model = only(templates["archive/endpoint"], "AWS::SageMaker::Model")["Properties"]
    source = model["PrimaryContainer"]["ModelDataSource"]["S3DataSource"]
    assert (source["S3DataType"], source["CompressionType"]) == ("S3Object", "Gzip")


def endpoint_log_group(template: dict[str, Any]) -> dict[str, Any]:
    [group] = [r for name, r in template["Resources"].items() if name.startswith("EndpointLogGroup")]
    assert isinstance(group, dict)
    return group


def test_logs_are_kept_as_long_as_the_file_says(templates: dict[str, Any]) -> None:
    group = endpoint_log_group(templates["everything/endpoint"])
    assert group["Properties"]["RetentionInDays"] == 3653
    assert group["DeletionPolicy"] == "RetainExceptOnCreate"


def test_logs_are_deleted_with_the_stack_unless_retained(templates: dict[str, Any]) -> None:
    assert endpoint_log_group(templates["dev/endpoint"])["DeletionPolicy"] == "Delete"


def test_the_cdk_has_a_name_for_every_retention_that_the_file_accepts() -> None:
    assert set(RETENTION_DAYS) == set(get_args(RetentionDays))


def test_scaling_follows_the_file(templates: dict[str, Any]) -> None:
    template = templates["everything/endpoint"]
    target = only(template, "AWS::ApplicationAutoScaling::ScalableTarget")["Properties"]
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 6)
    policy = only(template, "AWS::ApplicationAutoScaling::ScalingPolicy")["Properties"]
    tracking = policy["TargetTrackingScalingPolicyConfiguration"]
    assert tracking["TargetValue"] == 3.5
    assert (tracking["ScaleOutCooldown"], tracking["ScaleInCooldown"]) == (30, 900)


def test_without_scaling_in_the_file_nothing_is_registered(templates: dict[str, Any]) -> None:
    types = {resource["Type"] for resource in templates["dev/endpoint"]["Resources"].values()}
    assert not {t for t in types if t.startswith("AWS::ApplicationAutoScaling")}


def test_a_parameter_holds_the_name_once_the_endpoint_exists(templates: dict[str, Any]) -> None:
    template = templates["everything/endpoint"]
    parameter = only(template, "AWS::SSM::Parameter")
    assert parameter["Properties"]["Name"] == "/mistral7b/everything/endpoint-name"
    assert parameter["Properties"]["Value"] == "Chat"
    [endpoint] = [name for name, r in template["Resources"].items() if r["Type"] == "AWS::SageMaker::Endpoint"]
    assert endpoint in parameter["DependsOn"]


def test_outputs_name_what_consumers_need(templates: dict[str, Any]) -> None:
    outputs = templates["archive/endpoint"]["Outputs"]
    assert outputs["EndpointName"]["Value"] == "mistral-7b-instruct-archive"
    arn = "arn:aws:sagemaker:eu-west-1:111122223333:endpoint/mistral-7b-instruct-archive"
    assert outputs["EndpointArn"]["Value"] == arn
    assert {"LogGroupName", "ParameterName"} <= outputs.keys()


def test_the_model_is_in_the_networks_subnets_and_security_group(templates: dict[str, Any]) -> None:
    template = templates["dev/endpoint"]
    config = only(template, "AWS::SageMaker::Model")["Properties"]["VpcConfig"]
    subnets = [name for name, r in template["Resources"].items() if r["Type"] == "AWS::EC2::Subnet"]
    assert config["Subnets"] == [{"Ref": subnet} for subnet in subnets]
    [[group, _]] = [value["Fn::GetAtt"] for value in config["SecurityGroupIds"]]
    [rule] = template["Resources"][group]["Properties"]["SecurityGroupEgress"]
    assert "DestinationPrefixListId" in rule


@pytest.mark.parametrize("environment", ["dev", "everything", "existing-vpc"])
def test_what_is_replaced_has_no_name_of_its_own(environment: str, templates: dict[str, Any]) -> None:
    template = templates[f"{environment}/endpoint"]
    assert "ModelName" not in only(template, "AWS::SageMaker::Model")["Properties"]
    assert "EndpointConfigName" not in only(template, "AWS::SageMaker::EndpointConfig")["Properties"]
    role = only(template, "AWS::SageMaker::Model")["Properties"]["ExecutionRoleArn"]["Fn::GetAtt"][0]
    assert "RoleName" not in template["Resources"][role]["Properties"]


def gateway(template: dict[str, Any]) -> dict[str, Any]:
    ways = [r for r in template["Resources"].values() if r["Type"] == "AWS::EC2::VPCEndpoint"]
    [way] = [r["Properties"] for r in ways if r["Properties"]["VpcEndpointType"] == "Gateway"]
    assert isinstance(way, dict)
    return way


@pytest.mark.parametrize("environment", ["dev", "staging", "prod", "everything"])
def test_the_way_to_s3_is_on_every_route_table_of_an_own_vpc(environment: str, templates: dict[str, Any]) -> None:
    template = templates[f"{environment}/endpoint"]
    tables = [{"Ref": name} for name, r in template["Resources"].items() if r["Type"] == "AWS::EC2::RouteTable"]
    assert gateway(template)["RouteTableIds"] == tables


def test_the_s3_gateway_allows_only_jumpstarts_bucket_of_the_region(templates: dict[str, Any]) -> None:
    policy = gateway(templates["archive/endpoint"])["PolicyDocument"]
    assert [statement["Resource"] for statement in policy["Statement"]] == [
        "arn:aws:s3:::jumpstart-cache-prod-eu-west-1/*",
        "arn:aws:s3:::jumpstart-cache-prod-eu-west-1",
    ]


def test_the_model_comes_after_its_way_to_s3_and_that_after_the_tables_of_the_subnets(
    templates: dict[str, Any],
) -> None:
    template = templates["dev/endpoint"]
    [way] = [name for name in only(template, "AWS::SageMaker::Model")["DependsOn"] if name.startswith("Artifacts")]
    associations = [
        name for name, r in template["Resources"].items() if r["Type"] == "AWS::EC2::SubnetRouteTableAssociation"
    ]
    assert len(associations) == 2
    assert set(associations) <= set(template["Resources"][way]["DependsOn"])


def test_route_tables_of_an_existing_vpc_get_the_way_to_s3(templates: dict[str, Any]) -> None:
    way = gateway(templates["existing-vpc/endpoint"])
    assert way["VpcId"] == "vpc-0123456789abcdef0"
    assert way["RouteTableIds"] == ["rtb-0123456789abcdef0", "rtb-0123456789abcdef1"]


def test_permission_to_remove_interfaces_is_deleted_after_their_network(templates: dict[str, Any]) -> None:
    """On removal CloudFormation goes from dependants to what they depend on: endpoint, subnets and group, policy."""
    for name in ("dev", "existing-vpc"):
        resources = templates[f"{name}/endpoint"]["Resources"]
        [policy] = [one for one in resources if one.startswith("RoleInterfaces")]
        waiting = {resources[one]["Type"] for one in resources if policy in resources[one].get("DependsOn", [])}
        subnets = {"AWS::EC2::Subnet"} if name == "dev" else set()
        assert waiting >= {"AWS::SageMaker::Model", "AWS::EC2::SecurityGroup"} | subnets
        assert "Role" in resources[policy]["Properties"]["RoleName"]["Ref"]


def gate_roles(template: dict[str, Any]) -> list[dict[str, Any]]:
    roles = [r["Properties"] for r in template["Resources"].values() if r["Type"] == "AWS::IAM::Role"]
    return [role for role in roles if "RoleName" in role]


def test_what_a_pipeline_promotes_has_a_gate_role_and_nothing_else_has(templates: dict[str, Any]) -> None:
    for name in ENVIRONMENTS:
        names = [role["RoleName"] for role in gate_roles(templates[f"{name}/endpoint"])]
        assert names == ([f"mistral-7b-{name}-gate"] if name in PROMOTED else [])


def test_a_gate_role_trusts_builds_of_the_pipelines_account_by_name(templates: dict[str, Any]) -> None:
    [role] = gate_roles(templates["staging/endpoint"])
    [statement] = role["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::111111111111:root"}
    assert statement["Condition"] == {
        "ArnEquals": {"aws:PrincipalArn": ["arn:aws:iam::111111111111:role/mistral-7b-pipeline-staging-gates"]}
    }


def test_an_environment_without_an_account_trusts_no_other_account(templates: dict[str, Any]) -> None:
    [role] = gate_roles(templates["dev/endpoint"])
    text = json.dumps(role["AssumeRolePolicyDocument"])
    assert '{"Ref": "AWS::AccountId"}' in text
    assert PROMOTED["dev"].settings.account not in text
