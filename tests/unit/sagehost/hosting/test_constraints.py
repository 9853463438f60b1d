"""Parameters against the constraints of a service's model."""

from typing import Any

import pytest

from sagehost.hosting.constraints import violations


def test_parameters_within_the_model_have_no_violations() -> None:
    parameters = {"EndpointName": "dev", "EndpointConfigName": "config", "Tags": [{"Key": "a", "Value": ""}]}
    assert violations("sagemaker", "CreateEndpoint", parameters) is None


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"EndpointName": "a_b"},
            "Value 'a_b' at 'endpointName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}",
        ),
        (
            {"Tags": [{"Key": "", "Value": "x"}]},
            "Value '' at 'tags.1.member.key' failed to satisfy constraint: "
            "Member must have length greater than or equal to 1",
        ),
        (
            {"DeploymentConfig": {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": {"Type": "SLOWLY"}}}},
            "Value 'SLOWLY' at 'deploymentConfig.blueGreenUpdatePolicy.trafficRoutingConfiguration.type' failed to "
            "satisfy constraint: Member must satisfy enum value set: [ALL_AT_ONCE, CANARY, LINEAR]",
        ),
        (
            {"DeploymentConfig": {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "a"}] * 11}}},
            f"Value '{[{'AlarmName': 'a'}] * 11}' at 'deploymentConfig.autoRollbackConfiguration.alarms' failed to "
            "satisfy constraint: Member must have length less than or equal to 10",
        ),
    ],
)
def test_a_violation_is_worded_as_the_service_words_it(parameters: dict[str, Any], message: str) -> None:
    assert violations("sagemaker", "CreateEndpoint", parameters) == f"1 validation error detected: {message}"


def test_every_violation_is_named() -> None:
    message = violations("sagemaker", "CreateEndpoint", {"EndpointName": "_", "EndpointConfigName": "_"})
    assert message is not None
    assert message.startswith("2 validation errors detected: Value '_' at 'endpointName'")
    assert "; Value '_' at 'endpointConfigName'" in message


def test_values_of_a_map_are_checked() -> None:
    container = {"Environment": {"LONG": "x" * 20_000}}
    message = violations("sagemaker", "CreateModel", {"ModelName": "m", "PrimaryContainer": container})
    assert message is not None
    assert "at 'primaryContainer.environment.LONG.member' failed" in message
