"""The endpoint configuration: how many instances of which type, and how requests reach them."""

import aws_cdk as cdk
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from sagemaker_tgi.arns import NAME_PATTERN
from sagemaker_tgi.compliance import acknowledge_rule
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.model import TgiModel
from sagemaker_tgi.props import PropsCheck

# ModelDataDownloadTimeoutInSeconds and ContainerStartupHealthCheckTimeoutInSeconds in the SageMaker API.
_TIMEOUT = (60, 3600)


class TgiEndpointConfig(cdk.Resource):
    """An endpoint configuration with one variant. A request goes to the instance with the fewest in flight.

    It cannot be changed: every change of a prop replaces it. So it has no name of its own, which would collide with
    the one that it replaces. It has no encryption key and no volume size either: SageMaker refuses both for
    instances with local NVMe storage (all ml.g5 and ml.p4d), which encrypt it with a key of their own.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        model: TgiModel,
        instance_type: str = "ml.g5.2xlarge",
        initial_instance_count: int = 1,
        variant_name: str = "AllTraffic",
        model_data_download_timeout: cdk.Duration | None = None,
        container_startup_health_check_timeout: cdk.Duration | None = None,
        data_capture: DataCapture | None = None,
        enhanced_metrics: bool = False,
        detailed_observability: bool = False,
    ) -> None:
        """Defines the endpoint configuration.

        Args:
            model: The model to serve.
            instance_type: SageMaker instance type with a GPU.
            initial_instance_count: Instances at creation; later ones keep what auto scaling has set.
            variant_name: Name of the only variant.
            model_data_download_timeout: For copying the weights to an instance; 1 minute to 1 hour.
                Default: 20 minutes.
            container_startup_health_check_timeout: For loading them, until the container answers; 1 minute to
                1 hour. Default: 20 minutes.
            data_capture: Where requests and answers are kept. Default: they are not.
            enhanced_metrics: Whether SageMaker also publishes its metrics by instance and GPU, which are billed.
            detailed_observability: Whether SageMaker publishes OpenTelemetry metrics of container, GPU and host, which
                are billed and no classic alarm can use. Default: it does not, as when JumpStart published these
                models; left unsaid it does since June 2026 (SageMaker API, MetricsConfig).
        """
        download = model_data_download_timeout or cdk.Duration.minutes(20)
        startup = container_startup_health_check_timeout or cdk.Duration.minutes(20)
        with PropsCheck(scope, construct_id) as check:
            check.matches("instance_type", instance_type, r"ml\.[a-z0-9-]+\.[a-z0-9]+", "write it like ml.g5.2xlarge")
            check.matches("variant_name", variant_name, NAME_PATTERN, "use up to 63 letters, digits and hyphens")
            check.between("initial_instance_count", initial_instance_count, 1)
            check.seconds_between("model_data_download_timeout", download, *_TIMEOUT)
            check.seconds_between("container_startup_health_check_timeout", startup, *_TIMEOUT)
            if data_capture is not None:
                data_capture.check(check)
        super().__init__(scope, construct_id)

        self.variant_name = variant_name
        """Name of the only variant."""
        self._resource = sagemaker.CfnEndpointConfig(
            self,
            "Resource",
            production_variants=[
                sagemaker.CfnEndpointConfig.ProductionVariantProperty(
                    variant_name=variant_name,
                    model_name=model.model_name,
                    instance_type=instance_type,
                    initial_instance_count=initial_instance_count,
                    initial_variant_weight=1,
                    routing_config=sagemaker.CfnEndpointConfig.RoutingConfigProperty(
                        routing_strategy="LEAST_OUTSTANDING_REQUESTS"
                    ),
                    model_data_download_timeout_in_seconds=download.to_seconds(),
                    container_startup_health_check_timeout_in_seconds=startup.to_seconds(),
                )
            ],
            metrics_config=sagemaker.CfnEndpointConfig.MetricsConfigProperty(
                enable_enhanced_metrics=enhanced_metrics or None,
                enable_detailed_observability=detailed_observability,
            ),
            data_capture_config=None if data_capture is None else data_capture.to_property(),
        )
        acknowledge_rule(
            self,
            "SageMakerEndpointConfigurationKMSKeyConfigured",
            "GPU instances of types ml.g5 and ml.p4d keep their data on local NVMe storage, encrypted with a key of "
            "the instance; SageMaker refuses a key for a volume of theirs",
        )

    @property
    def endpoint_config_name(self) -> str:
        """Name of the endpoint configuration, as CloudFormation generates it."""
        return self._resource.attr_endpoint_config_name

    @property
    def endpoint_config_arn(self) -> str:
        """ARN of the endpoint configuration."""
        return self._resource.ref
