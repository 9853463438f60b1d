"""Endpoint, log group, scaling and callers as SageMaker needs them, in every environment's templates."""

import botocore.session
import pytest

from mistral7b import catalog
from sagemaker_tgi.arns import INVOKE_ACTIONS
from tests.unit.constraints.deployment import CONFIG, ENDPOINT, Deployment, after, as_list, text

TARGET, POLICY = "AWS::ApplicationAutoScaling::ScalableTarget", "AWS::ApplicationAutoScaling::ScalingPolicy"


def test_instances_with_disks_of_their_own_get_neither_key_nor_volume_size(deployed: Deployment) -> None:
    """No key and no volume size for instances with disks of their own. Source: SageMaker API, CreateEndpointConfig."""
    config = deployed.properties(CONFIG)
    assert catalog.instance_type(deployed.environment.instance_type).local_nvme
    assert "KmsKeyId" not in config
    assert all("VolumeSizeInGB" not in variant for variant in config["ProductionVariants"])


def test_requests_go_to_the_instance_with_the_fewest(deployed: Deployment) -> None:
    """`LEAST_OUTSTANDING_REQUESTS` between instances. Source: SageMaker API, RoutingConfig."""
    [variant] = deployed.properties(CONFIG)["ProductionVariants"]
    assert variant["RoutingConfig"] == {"RoutingStrategy": "LEAST_OUTSTANDING_REQUESTS"}


def test_an_instance_has_the_time_that_the_file_gives_to_load_the_weights(deployed: Deployment) -> None:
    """Time-outs of 60 to 3,600 seconds. Source: SageMaker API, ProductionVariant."""
    [variant] = deployed.properties(CONFIG)["ProductionVariants"]
    timeouts = deployed.environment.timeouts
    assert variant["ModelDataDownloadTimeoutInSeconds"] == timeouts.model_download_seconds
    assert variant["ContainerStartupHealthCheckTimeoutInSeconds"] == timeouts.container_startup_seconds


def test_an_update_keeps_what_scaling_has_set_and_only_that(deployed: Deployment) -> None:
    """An update keeps the instances that scaling has added; nothing is retained where nothing scales, as with the
    number data capture may be. Source: SageMaker API, RetainAllVariantProperties.
    """
    endpoint = deployed.properties(ENDPOINT)
    scaled = deployed.environment.auto_scaling is not None
    assert endpoint.get("RetainAllVariantProperties", False) is scaled
    assert "ExcludeRetainedVariantProperties" not in endpoint


def test_the_endpoint_has_the_literal_name_of_its_environment(deployed: Deployment) -> None:
    """A literal name: up to 63 letters, digits and hyphens, no hyphen at either end. Source: SageMaker API,
    EndpointName.
    """
    assert deployed.properties(ENDPOINT)["EndpointName"] == deployed.environment.resolved_endpoint_name


def test_the_log_group_expires_and_is_made_before_the_endpoint(deployed: Deployment) -> None:
    """The log group is the stack's, expires, and comes before the endpoint. Source: SageMaker developer guide, logs."""
    stack = deployed.resources
    [endpoint] = [name for name, r in stack.items() if r["Type"] == ENDPOINT]
    [group] = [n for n, r in stack.items() if r["Type"] == "AWS::Logs::LogGroup" and n.startswith("Endpoint")]
    properties = stack[group]["Properties"]
    assert properties["LogGroupName"] == f"/aws/sagemaker/Endpoints/{deployed.environment.resolved_endpoint_name}"
    assert properties["RetentionInDays"] == deployed.environment.removal.log_retention_days
    assert group in after(stack, endpoint)


def test_scaling_has_the_services_own_role_and_the_variant_as_its_target(deployed: Deployment) -> None:
    """The service-linked role, the variant as the target. Source: Application Auto Scaling user guide."""
    settings = deployed.environment.auto_scaling
    targets = [r["Properties"] for r in deployed.all(TARGET)]
    assert len(targets) == int(settings is not None)
    for target in targets:
        name = deployed.environment.resolved_endpoint_name
        assert target["ResourceId"] == f"endpoint/{name}/variant/AllTraffic"
        assert target["ScalableDimension"] == "sagemaker:variant:DesiredInstanceCount"
        assert "RoleARN" not in target  # the service takes its own, and makes it at the first registration
        assert 1 <= target["MinCapacity"] <= target["MaxCapacity"]
        assert "application-autoscaling.amazonaws.com" not in text(deployed.all("AWS::IAM::Role"))


def test_scaling_follows_requests_in_flight_at_high_resolution(deployed: Deployment) -> None:
    """The metric of 10 s resolution. Source: SageMaker developer guide, auto scaling."""
    settings = deployed.environment.auto_scaling
    for policy in deployed.all(POLICY):
        assert settings
        tracking = policy["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        metric = tracking["PredefinedMetricSpecification"]["PredefinedMetricType"]
        assert metric == "SageMakerVariantConcurrentRequestsPerModelHighResolution"
        assert tracking["TargetValue"] == settings.target_concurrent_requests
    assert len(deployed.all(POLICY)) == len(deployed.all(TARGET))


def test_the_target_is_registered_after_the_endpoint(deployed: Deployment) -> None:
    """The endpoint exists before its target. Source: Application Auto Scaling API."""
    stack = deployed.resources
    endpoints = {name for name, r in stack.items() if r["Type"] == ENDPOINT}
    for name, resource in stack.items():
        if resource["Type"] == TARGET:
            assert endpoints <= after(stack, name)


def test_callers_may_only_invoke_this_endpoint(deployed: Deployment) -> None:
    """Callers need `sagemaker:InvokeEndpoint` alone, on this endpoint. Source: SageMaker API, InvokeEndpoint."""
    callers = deployed.environment.callers
    own = [r["Properties"] for r in deployed.all("AWS::IAM::RolePolicy")]
    policies = [policy for policy in own if str(policy["PolicyName"]).startswith("invoke-")]
    assert sorted(policy["RoleName"] for policy in policies) == sorted(callers.role_names)
    for policy in policies:
        [statement] = policy["PolicyDocument"]["Statement"]
        assert as_list(statement["Action"]) == INVOKE_ACTIONS
        name = deployed.environment.resolved_endpoint_name.lower()
        assert text(statement["Resource"]).rstrip('"]}').endswith(f":endpoint/{name}")
        assert ("aws:SourceVpc" in text(statement)) == callers.only_from_vpc


def test_the_role_may_write_captured_requests_where_they_are_kept(deployed: Deployment) -> None:
    """The role may write what is captured, with its key. Source: SageMaker developer guide, data capture."""
    capture = deployed.properties(CONFIG).get("DataCaptureConfig")
    settings = deployed.environment.data_capture
    assert (capture is None) == (settings is None)
    if capture is not None and settings is not None:
        assert capture["InitialSamplingPercentage"] == settings.sampling_percentage
        assert [option["CaptureMode"] for option in capture["CaptureOptions"]] == settings.modes
        assert {"WriteCaptured", "EncryptCaptured"} <= set(deployed.statements())
        assert deployed.statements()["EncryptCaptured"]["Resource"] == capture["KmsKeyId"]


@pytest.mark.parametrize("name", [t.name for t in catalog.instance_types()])
def test_every_instance_type_of_the_catalogue_is_sagemakers_and_has_disks_of_its_own(name: str) -> None:
    """The instance type is one that SageMaker hosts on. Source: SageMaker API, ProductionVariantInstanceType."""
    model = botocore.session.get_session().get_service_model("sagemaker")
    assert name in model.shape_for("ProductionVariantInstanceType").metadata["enum"]
    assert catalog.instance_type(name).local_nvme
