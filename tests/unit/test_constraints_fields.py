"""Ranges of fields are within those of AWS's own models, so that a change of either shows."""

from typing import Any, get_args

import botocore.session
import pytest

from mistral7b.endpoint.client import ANSWER_TIMEOUT_S, STREAM_TIMEOUT_S
from mistral7b.environment.schema import RetentionDays
from sagehost.cloudformation import schema
from tests.unit.environment.mutations import sites

# Field and the service's shape; an environment file may be narrower, never wider.
RANGES = {
    "instance.count": ("sagemaker", "InitialTaskCount"),
    "timeouts.model_download_seconds": ("sagemaker", "ProductionVariantModelDataDownloadTimeoutInSeconds"),
    "timeouts.container_startup_seconds": ("sagemaker", "ProductionVariantContainerStartupHealthCheckTimeoutInSeconds"),
    "data_capture.sampling_percentage": ("sagemaker", "SamplingPercentage"),
    "data_capture.modes": ("sagemaker", "CaptureOptionList"),
    "network.existing_vpc.subnet_ids": ("sagemaker", "Subnets"),
}


def _form(field: str) -> dict[str, Any]:
    [site] = [site for site in sites() if ".".join(site.path) == field]
    [form] = [form for form in site.forms if form["type"] != "null" and form.get("enum") != ["auto"]]
    return dict(form)


@pytest.mark.parametrize(("field", "shape"), RANGES.items(), ids=RANGES)
def test_a_field_is_within_the_services_own_range(field: str, shape: tuple[str, str]) -> None:
    """At most 16 subnets and 5 security groups. Source: SageMaker API, VpcConfig."""
    limits = botocore.session.get_session().get_service_model(shape[0]).shape_for(shape[1]).metadata
    form = _form(field)
    assert form.get("minimum", form.get("minItems")) >= limits["min"]
    assert form.get("maximum", form.get("maxItems")) <= limits.get("max", float("inf"))


def test_an_endpoints_name_has_the_services_own_pattern() -> None:
    shape = botocore.session.get_session().get_service_model("sagemaker").shape_for("EndpointName")
    assert _form("endpoint_name")["pattern"] == f"^{shape.metadata['pattern']}$"


def test_capture_modes_are_the_services_own_but_for_both_in_one() -> None:
    """A sample of 1 to 100%, of requests, answers or both, each once. Source: SageMaker API, DataCaptureConfig."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    known = set(model.shape_for("CaptureMode").metadata["enum"])
    assert set(_form("data_capture.modes")["items"]["enum"]) == known - {"InputAndOutput"}


def test_every_retention_is_one_of_cloudformations() -> None:
    """Retention of one of 22 numbers of days. Source: CloudWatch Logs API, PutRetentionPolicy."""
    property_ = schema.load("AWS::Logs::LogGroup").json_schema["properties"]["RetentionInDays"]
    assert list(get_args(RetentionDays)) == property_["enum"]


def test_the_client_waits_longer_than_the_service() -> None:
    """The client waits longer than the service: 60 s, and 8 minutes for streams. Source: SageMaker runtime,
    InvokeEndpoint.
    """
    assert ANSWER_TIMEOUT_S > 60
    assert STREAM_TIMEOUT_S > 8 * 60
