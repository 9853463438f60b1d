"""Model, execution role and network as SageMaker needs them, in every environment's templates."""

import ipaddress
import re

from mistral7b import catalog
from mistral7b.environment.rules import free_addresses
from mistral7b.tgi import parse_environment
from sagemaker_tgi.arns import INVOKE_ACTIONS
from tests.unit.constraints.deployment import CONFIG, MODEL, Deployment, after, as_list, text

# GPUs of ml.g5 instances, by their size in xlarge (Amazon EC2 instance types, G5).
GPUS = {"2": 1, "4": 1, "8": 1, "16": 1, "12": 4, "24": 4, "48": 8}
# Actions for which IAM knows no resource (service authorization reference of each service).
TAKE_NO_RESOURCE = {
    "ecr:GetAuthorizationToken",
    "cloudwatch:PutMetricData",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:DescribeDhcpOptions",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
}


def test_the_model_is_of_the_image_and_artifact_and_says_their_format(deployed: Deployment) -> None:
    """Prefix of files: `S3Prefix`, `None`, ends in `/`; archive: `S3Object`, `Gzip`. Source: SageMaker API,
    S3ModelDataSource.
    """
    container = deployed.properties(MODEL)["PrimaryContainer"]
    source, env = container["ModelDataSource"]["S3DataSource"], deployed.environment
    assert env.artifact or env.region in env.version.regions
    assert (container["Image"], source["S3Uri"]) == (env.image_uri, env.artifact_uri)
    if source["S3Uri"].endswith(".tar.gz"):
        assert (source["S3DataType"], source["CompressionType"]) == ("S3Object", "Gzip")
    else:
        assert source["S3Uri"].endswith("/")
        assert (source["S3DataType"], source["CompressionType"]) == ("S3Prefix", "None")


def test_every_variable_of_the_container_is_text(deployed: Deployment) -> None:
    """Variables of the container are text, never numbers. Source: SageMaker API, EnvironmentMap."""
    variables = deployed.properties(MODEL)["PrimaryContainer"]["Environment"]
    assert {type(value) for value in variables.values()} == {str}


def test_the_container_starts_with_its_environment_on_its_instance(deployed: Deployment) -> None:
    [variant] = deployed.properties(CONFIG)["ProductionVariants"]
    gpus = GPUS[variant["InstanceType"].removeprefix("ml.g5.").removesuffix("xlarge")]
    settings = parse_environment(deployed.properties(MODEL)["PrimaryContainer"]["Environment"], gpus=gpus)
    assert settings.sm_num_gpus == gpus


def test_resources_that_every_change_replaces_have_no_name(deployed: Deployment) -> None:
    """Model, endpoint configuration and role have no names of their own, which replacements would collide with. Source:
    SageMaker API, CreateModel.
    """
    assert "ModelName" not in deployed.properties(MODEL)
    assert "EndpointConfigName" not in deployed.properties(CONFIG)
    assert "RoleName" not in deployed.execution_role()


def test_the_model_comes_after_its_role_whose_policies_are_inline(deployed: Deployment) -> None:
    """The role's permissions are inline and the role comes first; the way to S3 too. Source: SageMaker API,
    CreateModel.
    """
    stack = deployed.resources
    [model] = [name for name, r in stack.items() if r["Type"] == MODEL]
    role = deployed.properties(MODEL)["ExecutionRoleArn"]["Fn::GetAtt"][0]
    assert role in after(stack, model)
    assert "Policies" in deployed.execution_role()
    attached = [r["Properties"]["Roles"] for r in deployed.all("AWS::IAM::Policy")]
    assert role not in text(attached)


def test_no_role_has_a_managed_policy(deployed: Deployment) -> None:
    """No managed policy, and so not `AmazonSageMakerFullAccess`. Source: least privilege."""
    for role in deployed.all("AWS::IAM::Role"):
        assert "ManagedPolicyArns" not in role["Properties"]
    assert "FullAccess" not in text(deployed.resources)


def test_sagemaker_assumes_the_role_only_for_this_account(deployed: Deployment) -> None:
    """Only SageMaker takes the role on, for this account. Source: SageMaker developer guide, confused deputy."""
    [trust] = deployed.execution_role()["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    assert set(trust["Condition"]) == {"StringEquals", "ArnLike"}
    account = deployed.environment.account or {"Ref": "AWS::AccountId"}
    assert trust["Condition"]["StringEquals"] == {"aws:SourceAccount": account}
    assert "aws:SourceArn" in trust["Condition"]["ArnLike"]


def test_the_role_reads_the_weights_and_lists_their_bucket(deployed: Deployment) -> None:
    """It reads the artifact's prefix, and lists its bucket. Source: SageMaker developer guide, execution role."""
    statements = deployed.statements()
    bucket, key = deployed.environment.artifact_uri.removeprefix("s3://").split("/", 1)
    star = "" if key.endswith(".tar.gz") else "*"
    read, listed = statements["ReadWeights"], statements["ListWeights"]
    assert read["Action"] == "s3:GetObject"
    assert read["Resource"].endswith(f":s3:::{bucket}/{key}{star}")
    assert listed["Resource"].endswith(f":s3:::{bucket}")
    if deployed.environment.artifact is None:  # AWS's own bucket
        assert listed.keys() == {"Sid", "Effect", "Action", "Resource"}
    else:
        assert key.rstrip("/") in listed["Condition"]["StringLike"]["s3:prefix"]


def test_the_role_pulls_from_the_images_repository(deployed: Deployment) -> None:
    """It pulls from the image's repository. Source: same."""
    pull = deployed.statements()["PullImage"]
    assert sorted(pull["Action"]) == [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:GetDownloadUrlForLayer",
    ]
    repository = deployed.environment.image_uri.split("/", 1)[1].split(":")[0].split("@")[0]
    assert pull["Resource"].endswith(f":repository/{repository}")


def test_only_actions_without_resources_have_wildcard_resources(deployed: Deployment) -> None:
    """`*` is the resource of actions alone that take no other; metrics within SageMaker's namespace. Source: IAM
    service authorization reference.
    """
    anything = [s for s in deployed.statements().values() if s["Resource"] == "*"]
    assert {action for s in anything for action in as_list(s["Action"])} <= TAKE_NO_RESOURCE
    namespace = deployed.statements()["PublishMetrics"]["Condition"]
    assert namespace == {"StringEquals": {"cloudwatch:namespace": "/aws/sagemaker/Endpoints"}}


def test_the_role_writes_only_to_the_endpoints_log_group(deployed: Deployment) -> None:
    """It writes to the endpoint's log group alone. Source: SageMaker developer guide, execution role."""
    group = f":log-group:/aws/sagemaker/Endpoints/{deployed.environment.resolved_endpoint_name}"
    for resource in deployed.statements()["WriteLogs"]["Resource"]:
        assert re.search(rf'{re.escape(group)}(:\*)?"', text(resource))


def test_the_role_attaches_interfaces_only_in_the_models_vpc(deployed: Deployment) -> None:
    """It makes and removes interfaces in the model's VPC alone. The right to remove them outlives endpoint, subnets and
    group, as SageMaker removes them minutes after the endpoint, with this role. Source: same; SageMaker API,
    DeleteEndpoint; EC2 in the service authorization reference.
    """
    existing = deployed.environment.network.existing_vpc
    own = [name for name, r in deployed.resources.items() if r["Type"] == "AWS::EC2::VPC"]
    vpc = existing.vpc_id if existing else own[0]
    statements = deployed.statements()
    assert "Condition" not in statements["CreateInterfaces"]  # a network interface has no ec2:Vpc yet
    for sid in ("PlaceInterfaces", "AttachInterfaces"):
        [(operator, condition)] = statements[sid]["Condition"].items()
        assert (operator, list(condition)) == ("ArnEquals", ["ec2:Vpc"])
        assert re.search(rf':vpc/(", {{"Ref": ")?{vpc}"', text(condition))


def test_arns_are_of_the_regions_partition(deployed: Deployment) -> None:
    """ARNs are of the region's partition. Source: IAM user guide, ARNs."""
    own = "aws-cn" if deployed.environment.region.startswith("cn-") else "aws"
    assert set(re.findall(r"arn:(aws[a-z-]*):", text(deployed.resources))) == {own}


def test_the_vpc_has_no_route_to_the_internet(deployed: Deployment) -> None:
    """No internet gateway, no NAT, no route; the container is isolated. Source: this project."""
    kinds = {r["Type"] for r in deployed.resources.values()}
    assert not kinds & {"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP"}
    for subnet in deployed.all("AWS::EC2::Subnet"):
        assert subnet["Properties"]["MapPublicIpOnLaunch"] is False
    assert deployed.properties(MODEL)["EnableNetworkIsolation"] is True


def test_the_model_is_in_subnets_of_two_zones(deployed: Deployment) -> None:
    subnets = [r["Properties"] for r in deployed.all("AWS::EC2::Subnet")]
    kind = "AvailabilityZoneId" if deployed.environment.availability_zones[0][-1].isdigit() else "AvailabilityZone"
    zones = [subnet[kind] for subnet in subnets] or list(deployed.environment.availability_zones)
    assert len(set(zones)) >= 2
    assert all(catalog.zone_number(deployed.environment.region, zone) for zone in zones)
    assert len(deployed.properties(MODEL)["VpcConfig"]["Subnets"]) == len(zones)


def test_every_route_table_has_an_s3_gateway_with_a_narrow_policy(deployed: Deployment) -> None:
    """The S3 gateway is on every route table, and lets through the artifact bucket and captured requests. Source:
    Amazon VPC user guide, gateway endpoints.
    """
    existing = deployed.environment.network.existing_vpc
    tables = [n for n, r in deployed.resources.items() if r["Type"] == "AWS::EC2::RouteTable"]
    gateways = deployed.interfaces("Gateway")
    if existing:
        assert [g["RouteTableIds"] for g in gateways] == (
            [existing.route_table_ids] if existing.route_table_ids else []
        )
    else:
        assert [gateway["RouteTableIds"] for gateway in gateways] == [[{"Ref": table} for table in tables]]
    bucket = deployed.environment.artifact_uri.removeprefix("s3://").split("/")[0]
    for gateway in [] if existing else gateways:
        statements = {s["Sid"]: s for s in gateway["PolicyDocument"]["Statement"]}
        assert statements["ReadArtifacts"]["Resource"].endswith(f":s3:::{bucket}/*")
        assert statements["ListArtifacts"]["Resource"].endswith(f":s3:::{bucket}")
        capture = {"WriteCaptured"} if deployed.environment.data_capture else set()
        assert set(statements) == {"ReadArtifacts", "ListArtifacts"} | capture


def test_the_model_has_no_ingress_and_reaches_only_s3(deployed: Deployment) -> None:
    """Nothing into the model; out, 443 to S3's prefix list. Source: this project."""
    groups = [r["Properties"] for r in deployed.all("AWS::EC2::SecurityGroup")]
    [model] = [g for g in groups if "DestinationPrefixListId" in text(g)]
    assert "SecurityGroupIngress" not in model
    [rule] = model["SecurityGroupEgress"]
    assert (rule["IpProtocol"], rule["FromPort"], rule["ToPort"]) == ("tcp", 443, 443)
    assert not set(rule) & {"CidrIp", "CidrIpv6", "DestinationSecurityGroupId"}


def test_callers_in_the_vpc_reach_the_accounts_endpoints_by_one_interface_a_zone(deployed: Deployment) -> None:
    """Private callers reach endpoints of this account alone, by one interface a zone; in a VPC that others use,
    endpoints for S3 and the runtime have no policy, which would cut them off. Source: EC2 API, CreateVpcEndpoint.
    """
    interfaces = deployed.interfaces("Interface")
    assert len(interfaces) == int(deployed.environment.network.runtime_endpoint)
    for interface in interfaces:
        assert interface["PrivateDnsEnabled"] is True
        assert interface["ServiceName"].endswith(".sagemaker.runtime")
        assert len(interface["SubnetIds"]) == len(set(deployed.environment.availability_zones))
        if deployed.environment.network.existing_vpc:
            assert "PolicyDocument" not in interface  # others' requests pass here, too
            continue
        [statement] = interface["PolicyDocument"]["Statement"]
        assert statement["Action"] == INVOKE_ACTIONS
        assert text(statement["Resource"]).rstrip('"]}').endswith(":endpoint/*")


def test_subnets_have_the_addresses_that_the_rules_count(deployed: Deployment) -> None:
    for subnet in deployed.all("AWS::EC2::Subnet"):
        vpc = ipaddress.IPv4Network(deployed.properties("AWS::EC2::VPC")["CidrBlock"])
        size = ipaddress.IPv4Network(subnet["Properties"]["CidrBlock"]).num_addresses
        assert free_addresses(vpc, runtime_endpoint=False) == size - 5
