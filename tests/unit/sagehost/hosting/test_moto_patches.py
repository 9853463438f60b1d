"""moto still has what is replaced, and still needs to be corrected."""

from collections.abc import Callable
from typing import Any

import pytest
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig, SageMakerModelBackend
from moto.sagemaker.responses import SageMakerResponse

import sagehost.hosting  # noqa: F401 - applies the corrections

OWNERS: dict[str, type] = {"validate_instance_type": FakeEndpointConfig, "add_tags": SageMakerModelBackend}
"""The class of a method that is corrected, if it is not SageMakerResponse."""


def original(method: str) -> Callable[..., Any]:
    """moto's own method: an AttributeError tells that it is not corrected."""
    found: Callable[..., Any] = getattr(OWNERS.get(method, SageMakerResponse), method).__wrapped__
    return found


class Response:
    """Stands for moto's response object: a back end, and the parameters of a request."""

    def __init__(self, backend: SageMakerModelBackend, **parameters: Any) -> None:
        self.sagemaker_backend = backend
        self.params = parameters

    def _get_param(self, name: str) -> Any:
        return self.params.get(name)


@pytest.fixture
def backend() -> SageMakerModelBackend:
    """A back end of moto's with a model and an endpoint configuration."""
    backend = SageMakerModelBackend("us-east-1", "999988887777")
    backend.create_model("m", "arn:aws:iam::999988887777:role/r", {"Image": "i"}, None, None, None)
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    backend.create_endpoint_config("c", [variant], {}, {}, [], "")
    return backend


def test_moto_lists_models_whatever_is_asked_for(backend: SageMakerModelBackend) -> None:
    answer = original("list_models")(Response(backend, NameContains="something else"))
    assert [model["ModelName"] for model in answer.result["Models"]] == ["m"]


def test_moto_does_not_know_the_instance_type() -> None:
    config = FakeEndpointConfig.__new__(FakeEndpointConfig)
    with pytest.raises(ValidationError, match=r"ml\.g5\.2xlarge"):
        original("validate_instance_type")(config, "ml.g5.2xlarge")


def test_moto_drops_network_isolation(backend: SageMakerModelBackend) -> None:
    request = Response(backend, ModelName="n", PrimaryContainer={"Image": "i"}, EnableNetworkIsolation=True)
    original("create_model")(request)
    assert backend.describe_model("n").enable_network_isolation is False


def test_moto_takes_the_name_of_a_configuration_twice_and_drops_members(backend: SageMakerModelBackend) -> None:
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.m5.large"}
    request = Response(backend, EndpointConfigName="c", ProductionVariants=[variant], EnableNetworkIsolation=True)
    original("create_endpoint_config")(request)
    assert "EnableNetworkIsolation" not in backend.describe_endpoint_config("c")


@pytest.mark.parametrize(("method", "empty"), [("describe_model", "VpcConfig"), ("describe_endpoint_config", "Tags")])
def test_moto_describes_what_was_not_given(backend: SageMakerModelBackend, method: str, empty: str) -> None:
    described = original(method)(Response(backend, ModelName="m", EndpointConfigName="c")).result
    assert not described[empty]


def test_moto_takes_the_name_of_an_endpoint_twice_and_serves_at_once(backend: SageMakerModelBackend) -> None:
    for _ in range(2):
        original("create_endpoint")(Response(backend, EndpointName="e", EndpointConfigName="c"))
    assert backend.describe_endpoint("e")["EndpointStatus"] == "InService"


def test_moto_deletes_an_endpoint_that_is_being_created(backend: SageMakerModelBackend) -> None:
    backend.create_endpoint("e", "c", []).endpoint_status = "Creating"
    original("delete_endpoint")(Response(backend, EndpointName="e"))
    assert "e" not in backend.endpoints


def test_moto_counts_instances_without_waiting_for_them(backend: SageMakerModelBackend) -> None:
    backend.create_endpoint("e", "c", [])
    desired = [{"VariantName": "v", "DesiredInstanceCount": 2}]
    request = Response(backend, EndpointName="e", DesiredWeightsAndCapacities=desired)
    original("update_endpoint_weights_and_capacities")(request)
    described = backend.describe_endpoint("e")
    assert (described["EndpointStatus"], described["ProductionVariants"][0]["CurrentInstanceCount"]) == ("InService", 2)
