"""Service Quotas, and what SageMaker and EC2 refuse beyond them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sagehost import quotas
from sagehost.hosting.settings import HostingSettings

# No other test has instances of this type.
KIND, CODE = "ml.g5.48xlarge", "L-0100B823"
QUOTA = {"ServiceCode": "sagemaker", "QuotaCode": CODE}
VPCS = {"ServiceCode": "vpc", "QuotaCode": quotas.VPCS}
ACCOUNT = "444455556666"
Client = Callable[..., Any]


@pytest.fixture
def service(client: Client) -> Any:
    return client("service-quotas")


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two instances of a type, in every account."""
    monkeypatch.setattr(quotas, "APPLIED", {})
    monkeypatch.setitem(quotas.DEFAULTS, "sagemaker", 2.0)


@pytest.fixture
def one_instance(two: None, sagemaker: Any, make_config: Callable[..., str], settled: Any) -> Iterator[str]:
    """An endpoint of one instance."""
    name = "within-quota"
    config = make_config(InstanceType=KIND)
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
    settled(name)
    yield name
    settled(name)
    sagemaker.delete_endpoint(EndpointName=name)


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_a_quota_has_its_name_and_value(service: Any, two: None) -> None:
    applied, default = service.get_service_quota(**QUOTA), service.get_aws_default_service_quota(**QUOTA)
    assert (applied["Quota"]["QuotaName"], applied["Quota"]["Value"]) == (f"{KIND} for endpoint usage", 2)
    assert default == applied | {"ResponseMetadata": default["ResponseMetadata"]}


def test_a_request_raises_the_applied_quota_at_once(service: Any, two: None) -> None:
    service.request_service_quota_increase(**QUOTA, DesiredValue=3)
    assert service.get_service_quota(**QUOTA)["Quota"]["Value"] == 3
    assert service.get_aws_default_service_quota(**QUOTA)["Quota"]["Value"] == 2


@pytest.mark.parametrize("value", [1, 2])
def test_a_request_for_no_more_is_refused(service: Any, two: None, value: int) -> None:
    code, message = refused(service.request_service_quota_increase, **QUOTA, DesiredValue=value)
    assert (code, message) == (
        "IllegalArgumentException",
        "You must provide a quota value greater than the current quota value",
    )


@pytest.mark.parametrize("name", [QUOTA | {"QuotaCode": "L-00000000"}, QUOTA | {"ServiceCode": "ec2"}])
def test_an_unknown_quota_is_refused(service: Any, name: dict[str, str]) -> None:
    for call in (service.get_service_quota, service.get_aws_default_service_quota):
        assert refused(call, **name)[0] == "NoSuchResourceException"


def test_other_operations_are_refused_by_name(service: Any) -> None:
    assert refused(service.list_service_quotas, ServiceCode="sagemaker")[0] == "NotImplemented"


def test_an_endpoint_beyond_the_quota_is_refused_in_sagemakers_words(
    sagemaker: Any, one_instance: str, make_config: Callable[..., str]
) -> None:
    config = make_config(InstanceType=KIND, InitialInstanceCount=2)
    code, message = refused(sagemaker.create_endpoint, EndpointName="beyond", EndpointConfigName=config)
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        f"The account-level service limit '{KIND} for endpoint usage' is 2 Instances, with current utilization of 1 "
        "Instances and a request delta of 2 Instances."
    )
    assert "beyond" not in [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]


def test_an_update_needs_a_second_fleet_beside_the_first(
    sagemaker: Any, one_instance: str, make_config: Callable[..., str], settled: Any
) -> None:
    for _ in range(2):  # what the first has replaced is not counted in the second
        config = make_config(InstanceType=KIND)
        sagemaker.update_endpoint(EndpointName=one_instance, EndpointConfigName=config)
        settled(one_instance)
    config = make_config(InstanceType=KIND, InitialInstanceCount=2)
    update = {"EndpointName": one_instance, "EndpointConfigName": config}
    assert refused(sagemaker.update_endpoint, **update)[0] == "ResourceLimitExceeded"


@pytest.mark.parametrize(("count", "fits"), [(2, True), (3, False)])
def test_scaling_adds_instances_up_to_the_quota(sagemaker: Any, one_instance: str, count: int, *, fits: bool) -> None:
    desired = [{"VariantName": "AllTraffic", "DesiredInstanceCount": count}]
    arguments = {"EndpointName": one_instance, "DesiredWeightsAndCapacities": desired}
    if fits:
        sagemaker.update_endpoint_weights_and_capacities(**arguments)
    else:
        assert refused(sagemaker.update_endpoint_weights_and_capacities, **arguments)[0] == "ResourceLimitExceeded"


def test_vpcs_beyond_the_quota_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = client("ec2", ACCOUNT)
    there = len(ec2.describe_vpcs()["Vpcs"])
    monkeypatch.setattr(quotas, "APPLIED", {(ACCOUNT, "us-east-1", quotas.VPCS): there + 1.0})
    ec2.create_vpc(CidrBlock="10.0.0.0/16")
    assert refused(ec2.create_vpc, CidrBlock="10.0.0.0/16") == (
        "VpcLimitExceeded",
        "The maximum number of VPCs has been reached.",
    )


def test_the_default_is_set_by_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGEHOST_ENDPOINT_QUOTA", "0")
    assert HostingSettings.from_environment().endpoint_quota == 0
    monkeypatch.setenv("SAGEHOST_ENDPOINT_QUOTA", "some")
    with pytest.raises(ValueError, match="SAGEHOST_ENDPOINT_QUOTA must be a number from 0, not 'some'"):
        HostingSettings.from_environment()


def test_images_of_other_registries_are_there_if_a_package_answers_for_them(client: Client) -> None:
    ecr, tag = client("ecr"), [{"imageTag": "1"}]
    known = {"registryId": "763104351884", "repositoryName": "huggingface-pytorch-tgi-inference", "imageIds": tag}
    assert ecr.batch_get_image(**known)["images"][0]["imageId"] == tag[0]
    for other in ({"repositoryName": "unknown"}, {"registryId": ACCOUNT[::-1], "repositoryName": "unknown"}):
        assert refused(ecr.batch_get_image, **{**known, **other})[0] == "RepositoryNotFoundException"


def test_jumpstarts_buckets_list_what_is_asked_for_and_take_nothing(client: Client) -> None:
    s3, bucket = client("s3"), "jumpstart-cache-prod-us-east-1"
    for key, found in (("model/", "model/config.json"), ("model.tar.gz", "model.tar.gz")):
        assert [one["Key"] for one in s3.list_objects_v2(Bucket=bucket, Prefix=key)["Contents"]] == [found]
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"")[0] == "NoSuchBucket"


def test_the_role_of_scaling_has_aws_s_name_and_is_made_once(client: Client) -> None:
    iam, service = client("iam", ACCOUNT), {"AWSServiceName": "sagemaker.application-autoscaling.amazonaws.com"}
    made = iam.create_service_linked_role(**service)["Role"]
    assert made["RoleName"] == "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
    assert iam.get_role(RoleName=made["RoleName"])["Role"]["Arn"] == made["Arn"]
    assert refused(iam.create_service_linked_role, **service)[0] == "InvalidInput"
