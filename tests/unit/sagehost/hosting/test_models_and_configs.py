"""What SageMaker checks at once when a model or an endpoint configuration is created, and how it describes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

DATA = {
    "S3Uri": "s3://jumpstart-cache-prod-us-east-1/huggingface-llm/mistral/artifacts/v1.0.0/",
    "S3DataType": "S3Prefix",
    "CompressionType": "None",
}
Make = Callable[..., str]


def container(**data: str) -> dict[str, Any]:
    """A container whose model data is JumpStart's, with these changes."""
    image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/huggingface-pytorch-tgi-inference:1"
    return {"Image": image, "ModelDataSource": {"S3DataSource": DATA | data}}


def test_a_model_is_described_as_it_was_created(sagemaker: Any, make_model: Make, role: str) -> None:
    name = make_model(PrimaryContainer=container(), EnableNetworkIsolation=True)
    described = sagemaker.describe_model(ModelName=name)
    assert described["PrimaryContainer"] == container()
    assert described["EnableNetworkIsolation"] is True
    assert described["ExecutionRoleArn"] == role
    assert described["ModelArn"] == f"arn:aws:sagemaker:us-east-1:111122223333:model/{name}"
    assert not {"VpcConfig", "Containers"} & described.keys()


def test_a_models_name_cannot_be_taken_twice(make_model: Make) -> None:
    make_model(ModelName="taken")
    with pytest.raises(ClientError, match=r'Cannot create already existing model "arn:aws:.*model/taken"'):
        make_model(ModelName="taken")


def test_an_image_of_another_region_is_refused(make_model: Make) -> None:
    image = container()["Image"].replace("us-east-1", "eu-west-1")
    with pytest.raises(ClientError) as error:
        make_model(PrimaryContainer={"Image": image})
    assert error.value.response["Error"]["Message"] == (
        f'Region of "{image}" does not match expected region of us-east-1. '
        "Cross region ECR image pulls are not allowed."
    )


def test_an_image_outside_ecr_needs_vpc_access_to_its_repository(make_model: Make) -> None:
    image = "registry.example.com/echo:1"
    with pytest.raises(ClientError) as error:
        make_model(PrimaryContainer={"Image": image})
    assert error.value.response["Error"]["Message"] == (
        f'Using non-ECR image "{image}" without Vpc repository access mode is not supported.'
    )
    assert make_model(PrimaryContainer={"Image": image, "ImageConfig": {"RepositoryAccessMode": "Vpc"}})


SAGEMAKER = {"Service": "sagemaker.amazonaws.com"}


@pytest.mark.parametrize(
    "trusted",
    [
        None,
        {"Principal": {"Service": "lambda.amazonaws.com"}},
        {"Principal": SAGEMAKER, "Effect": "Deny"},
        {"NotPrincipal": SAGEMAKER},
        {"Principal": SAGEMAKER, "Condition": {"StringEquals": {"aws:SourceAccount": "444455556666"}}},
        {"Principal": {"AWS": "*"}, "Sid": "sagemakeramazonawscom"},
    ],
)
def test_a_role_that_sagemaker_cannot_assume_is_refused(
    client: Callable[..., Any], make_model: Make, trusted: dict[str, Any] | None
) -> None:
    iam = client("iam")
    if "foreign" in {role["RoleName"] for role in iam.list_roles()["Roles"]}:
        iam.delete_role(RoleName="foreign")
    if trusted:
        statement = {"Effect": "Allow", "Action": "sts:AssumeRole", **trusted}
        trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.create_role(RoleName="foreign", AssumeRolePolicyDocument=trust)
    with pytest.raises(ClientError, match="Could not assume role arn:aws:iam::111122223333:role/foreign"):
        make_model(ExecutionRoleArn="arn:aws:iam::111122223333:role/foreign")


@pytest.mark.parametrize(
    ("name", "principal"), [("all", "*"), ("two", {"Service": ["lambda.amazonaws.com", "sagemaker.amazonaws.com"]})]
)
def test_a_role_that_trusts_sagemaker_among_others_is_assumed(
    client: Callable[..., Any], make_model: Make, name: str, principal: Any
) -> None:
    conditions = {"StringEquals": {"aws:SourceAccount": ["111122223333"]}}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal, "Condition": conditions}
    trust = json.dumps({"Version": "2012-10-17", "Statement": statement})
    role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    assert make_model(ExecutionRoleArn=role)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"S3Uri": "s3://jumpstart-cache-prod-eu-west-1/x/"}, "the object is located in us-east-1"),
        ({"S3Uri": "s3://nobodys-bucket/x/"}, "Could not access model data at s3://nobodys-bucket/x/"),
        ({"S3Uri": "s3://jumpstart-cache-prod-us-east-1/x"}, "must end with a forward slash"),
        ({"CompressionType": "Gzip"}, "S3Object with CompressionType Gzip"),
        ({"S3DataType": "S3Object"}, "S3DataType must be S3Prefix with CompressionType None"),
    ],
)
def test_model_data_that_cannot_be_read_is_refused(make_model: Make, data: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        make_model(PrimaryContainer=container(**data))


def test_model_data_in_a_bucket_of_ones_own_must_be_there(
    client: Callable[..., Any], make_model: Make, role: str
) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="own-bucket")
    reads = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": "arn:aws:s3:::own-bucket*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [reads]})
    client("iam").put_role_policy(RoleName=role.rpartition("/")[2], PolicyName="read", PolicyDocument=document)
    with pytest.raises(ClientError, match="Could not access model data"):
        make_model(PrimaryContainer=container(S3Uri="s3://own-bucket/model/"))
    s3.put_object(Bucket="own-bucket", Key="model/config.json", Body=b"{}")
    assert make_model(PrimaryContainer=container(S3Uri="s3://own-bucket/model/"))


def test_model_data_in_a_bucket_of_another_region_is_refused(client: Callable[..., Any], make_model: Make) -> None:
    s3 = client("s3", region="eu-west-1")
    s3.create_bucket(Bucket="far-bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="far-bucket", Key="model/config.json", Body=b"{}")
    with pytest.raises(ClientError, match="the object is located in us-east-1"):
        make_model(PrimaryContainer=container(S3Uri="s3://far-bucket/model/"))


@pytest.mark.parametrize("reference", [":2", "", "@sha256:" + "0" * 64])
def test_an_image_that_its_repository_lacks_is_not_found(
    client: Callable[..., Any], make_model: Make, reference: str
) -> None:
    ecr = client("ecr")
    if not ecr.describe_repositories()["repositories"]:
        ecr.create_repository(repositoryName="team/tgi")
        manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})
        ecr.put_image(repositoryName="team/tgi", imageManifest=manifest, imageTag="1")
    repository = "111122223333.dkr.ecr.us-east-1.amazonaws.com/team/tgi"
    [stored] = ecr.describe_images(repositoryName="team/tgi")["imageDetails"]
    assert make_model(PrimaryContainer={"Image": f"{repository}:1"})
    assert make_model(PrimaryContainer={"Image": f"{repository}@{stored['imageDigest']}"})
    with pytest.raises(ClientError, match=f"Requested image {repository}{reference} not found"):
        make_model(PrimaryContainer={"Image": f"{repository}{reference}"})


def test_a_network_that_is_not_there_is_refused(client: Callable[..., Any], make_model: Make) -> None:
    ec2 = client("ec2")
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    group = ec2.create_security_group(GroupName="model", Description="model", VpcId=vpc)["GroupId"]
    assert make_model(VpcConfig={"Subnets": [subnet], "SecurityGroupIds": [group]})
    with pytest.raises(ClientError, match="subnet-0000"):
        make_model(VpcConfig={"Subnets": ["subnet-0000"], "SecurityGroupIds": [group]})
    with pytest.raises(ClientError, match="The security group 'sg-0000' does not exist"):
        make_model(VpcConfig={"Subnets": [subnet], "SecurityGroupIds": ["sg-0000"]})


def test_an_endpoint_configuration_is_described_as_it_was_created(sagemaker: Any, make_model: Make, role: str) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": make_model(),
        "InstanceType": "ml.g5.2xlarge",
        "InitialInstanceCount": 1,
        "InitialVariantWeight": 1.0,
        "ModelDataDownloadTimeoutInSeconds": 1200,
        "ContainerStartupHealthCheckTimeoutInSeconds": 1200,
        "RoutingConfig": {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"},
    }
    given = {
        "EndpointConfigName": "complete",
        "ProductionVariants": [variant],
        "ExecutionRoleArn": role,
        "EnableNetworkIsolation": True,
    }
    sagemaker.create_endpoint_config(**given)
    described = sagemaker.describe_endpoint_config(EndpointConfigName="complete")
    del described["CreationTime"], described["ResponseMetadata"]
    assert described == given | {
        "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/complete",
        "MetricsConfig": {"EnableDetailedObservability": True},
    }


def test_a_configurations_name_cannot_be_taken_twice(sagemaker: Any, make_config: Make) -> None:
    variants = sagemaker.describe_endpoint_config(EndpointConfigName=(name := make_config()))["ProductionVariants"]
    with pytest.raises(ClientError, match=f'Cannot create already existing endpoint configuration "arn:aws:.*{name}"'):
        sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=variants)


def test_a_configuration_needs_its_model(make_config: Make) -> None:
    with pytest.raises(ClientError, match=r'Could not find model "arn:aws:.*model/none"'):
        make_config(ModelName="none")


def test_an_instance_type_with_storage_of_its_own_takes_no_volume(make_config: Make) -> None:
    with pytest.raises(ClientError, match=r"VolumeSizeInGB is not supported for instance type ml\.g5\.2xlarge"):
        make_config(VolumeSizeInGB=100)


def test_an_instance_type_with_storage_of_its_own_takes_no_key(sagemaker: Any, make_model: Make) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": make_model(),
        "InstanceType": "ml.g5.2xlarge",
        "InitialInstanceCount": 1,
    }
    with pytest.raises(ClientError, match=r"KmsKeyId is not supported for instance type ml\.g5\.2xlarge"):
        sagemaker.create_endpoint_config(EndpointConfigName="key", ProductionVariants=[variant], KmsKeyId="alias/key")


@pytest.mark.parametrize(
    ("variant", "message"),
    [
        ({"InstanceType": "ml.g5.3xlarge"}, r"'productionVariants\.1\.member\.instanceType' failed to satisfy"),
        ({"VariantName": "-"}, "Member must satisfy regular expression pattern"),
        (
            {"ContainerStartupHealthCheckTimeoutInSeconds": 3601},
            "Value '3601' at 'productionVariants.1.member.containerStartupHealthCheckTimeoutInSeconds' failed to "
            "satisfy constraint: Member must have value less than or equal to 3600",
        ),
    ],
)
def test_a_value_outside_the_services_model_is_refused(
    make_config: Make, variant: dict[str, Any], message: str
) -> None:
    with pytest.raises(ClientError, match=message) as error:
        make_config(**variant)
    assert error.value.response["Error"]["Code"] == "ValidationException"


def listed(sagemaker: Any, **asked: Any) -> list[str]:
    """Names of the models that ListModels gives."""
    return [model["ModelName"] for model in sagemaker.list_models(**asked)["Models"]]


def test_models_are_listed_by_a_part_of_their_name(sagemaker: Any, make_model: Make) -> None:
    make_model(ModelName="listed-one")
    make_model(ModelName="other-one")
    assert listed(sagemaker, NameContains="listed-") == ["listed-one"]


def test_models_are_listed_newest_first_unless_asked_otherwise(sagemaker: Any, make_model: Make) -> None:
    for name in ("order-b", "order-a", "order-c"):
        make_model(ModelName=name)
    assert listed(sagemaker, NameContains="order-") == ["order-c", "order-a", "order-b"]
    assert listed(sagemaker, NameContains="order-", SortBy="Name", SortOrder="Ascending") == [
        "order-a",
        "order-b",
        "order-c",
    ]


def test_models_are_listed_page_by_page(sagemaker: Any, make_model: Make) -> None:
    for name in ("page-1", "page-2", "page-3"):
        make_model(ModelName=name)
    pages = sagemaker.get_paginator("list_models").paginate(NameContains="page-", PaginationConfig={"PageSize": 2})
    assert [[model["ModelName"] for model in page["Models"]] for page in pages] == [["page-3", "page-2"], ["page-1"]]


def test_models_are_listed_by_their_time_of_creation(sagemaker: Any, make_model: Make) -> None:
    name = make_model()
    created = sagemaker.describe_model(ModelName=name)["CreationTime"]
    assert listed(sagemaker, NameContains=name, CreationTimeAfter=created - timedelta(hours=1)) == [name]
    assert listed(sagemaker, NameContains=name, CreationTimeAfter=created + timedelta(hours=1)) == []
