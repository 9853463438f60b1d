"""What each environment's account runs, and whose commit that is."""

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from mistral7b.environment import Environment
from mistral7b.promotion import PromotedEnvironment
from mistral7b_cli.rehearsal.result import NOTHING, deployed

DEV = PromotedEnvironment(Environment(name="dev", region="us-east-1"), "222222222222", (), False)
ARN = "arn:aws:sagemaker:us-east-1:222222222222"


class Answering:
    """A cloud whose SageMaker is stubbed."""

    def __init__(self) -> None:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        self.sagemaker = boto3.client("sagemaker", region_name="us-east-1", **keys)
        self.stubber = Stubber(self.sagemaker)
        self.stubber.activate()

    def client(self, service: str, account: str, region: str) -> Any:
        """The client of dev's account."""
        assert (service, account, region) == ("sagemaker", "222222222222", "us-east-1")
        return self.sagemaker


@pytest.fixture
def cloud() -> Any:
    """Where SageMaker answers as the test says."""
    return Answering()


def test_an_endpoint_is_shown_with_its_status_instances_settings_and_commit(cloud: Any) -> None:
    times = {"CreationTime": 0, "LastModifiedTime": 0}
    endpoint = {"EndpointName": "dev", "EndpointArn": f"{ARN}:endpoint/dev", "EndpointStatus": "InService", **times}
    running = [{"VariantName": "AllTraffic", "CurrentInstanceCount": 3}]
    cloud.stubber.add_response(
        "describe_endpoint", endpoint | {"EndpointConfigName": "c", "ProductionVariants": running}
    )
    variant = {"VariantName": "A", "ModelName": "m", "InstanceType": "ml.g5.2xlarge", "InitialInstanceCount": 1}
    config = {"EndpointConfigName": "c", "EndpointConfigArn": f"{ARN}:endpoint-config/c", "CreationTime": 0}
    cloud.stubber.add_response("describe_endpoint_config", config | {"ProductionVariants": [variant]})
    model = {"ModelName": "m", "ModelArn": f"{ARN}:model/m", "CreationTime": 0}
    container = {"Environment": {"MAX_TOTAL_TOKENS": "8192"}}
    cloud.stubber.add_response("describe_model", model | {"PrimaryContainer": container})
    found = deployed(cloud, DEV, {"dev": "c0ffee"})
    assert (found["status"], found["instance_type"], found["instances"]) == ("InService", "ml.g5.2xlarge", 3)
    assert (found["settings"], found["commit"]) == ({"MAX_TOTAL_TOKENS": "8192"}, "c0ffee")


def test_an_account_without_the_endpoint_runs_nothing(cloud: Any) -> None:
    cloud.stubber.add_client_error("describe_endpoint", "ValidationException")
    found = deployed(cloud, DEV, {})
    assert (found["status"], found["instances"], found["commit"]) == (NOTHING, 0, "")


def test_an_account_that_may_not_be_asked_is_a_failure(cloud: Any) -> None:
    cloud.stubber.add_client_error("describe_endpoint", "AccessDeniedException")
    with pytest.raises(ClientError, match="AccessDenied"):
        deployed(cloud, DEV, {})
