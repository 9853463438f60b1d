"""What runs against what was deployed: by SageMaker's and CloudFormation's descriptions."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from mistral7b.operate.smoke.answers import CheckResult
from mistral7b.operate.smoke.deployed import DEPLOYED, compare
from tests.unit.operate.conftest import environment

SCALING = {"auto_scaling": {"min_instances": 1, "max_instances": 2}}


class Described:
    """A session whose services describe an endpoint and a stack as they are told to."""

    def __init__(self, denied: tuple[str, ...] = (), **endpoint: Any) -> None:
        self._denied, self._endpoint = denied, endpoint

    def client(self, service: str, **_: Any) -> Any:
        return self

    def describe_endpoint(self, EndpointName: str) -> dict[str, Any]:
        self._refuse("DescribeEndpoint")
        image = {"SpecifiedImage": environment({}).image_uri}
        variant = {"VariantName": "AllTraffic", "DeployedImages": [image], "CurrentInstanceCount": 1}
        return {
            "EndpointName": EndpointName,
            "EndpointConfigName": "Config-New",
            "ProductionVariants": [variant],
            **self._endpoint,
        }

    def describe_stack_resources(self, StackName: str) -> dict[str, Any]:
        self._refuse("DescribeStackResources")
        assert StackName == "mistral-7b-dev-endpoint"
        arn = "arn:aws:sagemaker:us-east-1:111122223333:endpoint-config/config-new"
        kinds = {"AWS::SageMaker::EndpointConfig": arn, "AWS::SageMaker::Model": "model"}
        return {"StackResources": [{"ResourceType": kind, "PhysicalResourceId": one} for kind, one in kinds.items()]}

    def _refuse(self, action: str) -> None:
        if action in self._denied:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"not authorized to {action}"}}, action)


def compared(
    denied: tuple[str, ...] = (), fields: dict[str, Any] | None = None, **endpoint: Any
) -> tuple[dict[str, CheckResult], dict[str, str]]:
    """The results by name, and what was not told, of an environment with these fields."""
    session: Any = Described(denied, **endpoint)
    results, untold = compare(environment({}, **(fields or {})), session)
    return {result.name: result for result in results}, untold


def failed(fields: dict[str, Any] | None = None, **endpoint: Any) -> dict[str, tuple[str, str]]:
    """What the failed checks expected and got."""
    results, untold = compared((), fields, **endpoint)
    assert untold == {}
    return {name: (one.expected, one.got) for name, one in results.items() if not one.passed}


def capturing(percentage: int, status: str = "Started") -> dict[str, Any]:
    return {"EnableCapture": True, "CaptureStatus": status, "CurrentSamplingPercentage": percentage}


@pytest.mark.parametrize(
    ("fields", "endpoint"),
    [
        ({}, {}),
        ({}, {"DataCaptureConfig": capturing(100, "Stopped")}),
        ({"data_capture": {"sampling_percentage": 20}}, {"DataCaptureConfig": capturing(20)}),
        (SCALING, {}),
    ],
)
def test_an_endpoint_that_is_what_was_deployed_passes(fields: dict[str, Any], endpoint: dict[str, Any]) -> None:
    assert failed(fields, **endpoint) == {}
    assert tuple(compared((), fields, **endpoint)[0]) == DEPLOYED


def test_an_update_that_was_taken_back_fails_with_both_names_and_the_way_out() -> None:
    other = "763104351884.dkr.ecr.us-east-1.amazonaws.com/other:1"
    variant = {"VariantName": "AllTraffic", "DeployedImages": [{"SpecifiedImage": other}], "CurrentInstanceCount": 1}
    found = failed(EndpointConfigName="config-old", ProductionVariants=[variant])
    expected, got = found.pop("configuration")
    assert got == "config-old"
    assert expected.startswith(
        "config-new; fix: SageMaker has gone back to the old one; `aws sagemaker update-endpoint "
    )
    assert expected.endswith("deploy with another endpoint_name")
    (expected, got) = found.pop("image")
    assert (expected.partition(";")[0], got) == (environment({}).image_uri, other)
    assert found == {}


@pytest.mark.parametrize(
    ("fields", "counts", "expected"), [({}, [2], "1; fix: "), (SCALING, [3], "1 to 2; fix: "), ({}, [1, 1], "1; fix: ")]
)
def test_another_number_of_instances_fails(fields: dict[str, Any], counts: list[int], expected: str) -> None:
    image = {"SpecifiedImage": environment({}).image_uri}
    variants = [{"DeployedImages": [image][: index == 0], "CurrentInstanceCount": n} for index, n in enumerate(counts)]
    ((name, (wanted, got)),) = failed(fields, ProductionVariants=variants).items()
    assert (name, got) == ("instances", ", ".join(map(str, counts)))
    assert wanted.startswith(expected)


@pytest.mark.parametrize(
    ("fields", "capture", "expected", "got"),
    [
        (
            {},
            capturing(100),
            "off; fix: if the configuration is right and the file has changed since, `cdk deploy 'dev/*'`",
            "100%",
        ),
        (
            {"data_capture": {}},
            None,
            "100%; fix: if the configuration is right and the file has changed since, `cdk deploy 'dev/*'`",
            "off",
        ),
        (
            {"data_capture": {}},
            capturing(20),
            "100%; fix: if the configuration is right and the file has changed since, `cdk deploy 'dev/*'`",
            "20%",
        ),
        (
            SCALING,
            capturing(100),
            "off; fix: if the configuration is right and the file has changed since, `cdk deploy 'dev/*'`; if ",
            "100%",
        ),
    ],
)
def test_other_data_capture_fails(fields: dict[str, Any], capture: Any, expected: str, got: str) -> None:
    ((name, (wanted, found)),) = failed(fields, DataCaptureConfig=capture).items()
    assert (name, found) == ("data capture", got)
    assert wanted.startswith(expected)


@pytest.mark.parametrize(
    ("denied", "untold"), [("DescribeEndpoint", DEPLOYED), ("DescribeStackResources", DEPLOYED[:1])]
)
def test_what_may_not_be_read_is_not_told_and_the_rest_is(denied: str, untold: tuple[str, ...]) -> None:
    results, reasons = compared((denied,))
    assert tuple(reasons) == untold
    assert all(reason.endswith(f"not authorized to {denied}") for reason in reasons.values())
    assert (*reasons, *results) == DEPLOYED


def test_an_api_that_cannot_be_reached_is_not_told(session: boto3.Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://localhost:1")
    results, reasons = compare(environment({}), session)
    assert results == []
    assert set(reasons.values()) == {'Could not connect to the endpoint URL: "http://localhost:1/"'}
