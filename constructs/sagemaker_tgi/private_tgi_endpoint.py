"""A private endpoint with everything that it needs: the construct to start with."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from constructs import Construct

from sagemaker_tgi.arns import log_group_name
from sagemaker_tgi.artifact import EcrImage, ModelArtifact
from sagemaker_tgi.artifact_gateway_endpoint import ArtifactGatewayEndpoint
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.data_capture import DataCapture
from sagemaker_tgi.endpoint import ITgiEndpoint, TgiEndpoint
from sagemaker_tgi.endpoint_config import TgiEndpointConfig
from sagemaker_tgi.execution_role import TgiExecutionRole
from sagemaker_tgi.log_group import DEFAULT_LOG, LogOptions
from sagemaker_tgi.model import TgiModel
from sagemaker_tgi.private_network import PrivateNetwork
from sagemaker_tgi.props import PropsCheck

_SCALING = InstanceScaling()


class PrivateTgiEndpoint(ITgiEndpoint):
    """A SageMaker endpoint for a TGI container, in a private network: role, model, instances, scaling, log group, keys.

    Every part is an attribute. Callers need `grant_invoke`.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: EcrImage,
        artifact: ModelArtifact,
        environment: Mapping[str, str] | None = None,
        endpoint_name: str | None = None,
        instance_type: str = "ml.g5.2xlarge",
        instance_count: int = 1,
        scaling: InstanceScaling | None = _SCALING,
        network: PrivateNetwork | None = None,
        vpc: ec2.IVpc | None = None,
        subnets: Sequence[ec2.ISubnet] = (),
        role: iam.IRole | None = None,
        log: LogOptions = DEFAULT_LOG,
        data_capture: DataCapture | None = None,
        description: str | None = None,
        model_data_download_timeout: cdk.Duration | None = None,
        container_startup_health_check_timeout: cdk.Duration | None = None,
        enhanced_metrics: bool = False,
        detailed_observability: bool = False,
    ) -> None:
        """Defines the endpoint and its parts.

        Args:
            image: The container image, such as `JumpStartMistral.instruct(self).image`.
            artifact: The weights.
            environment: The container's environment variables. Default: `HF_MODEL_ID`, where the weights are; all else
                is the container's own default.
            endpoint_name: Name of the endpoint, unique within account and region. Default: named after the path.
            instance_type: SageMaker instance type with a GPU.
            instance_count: Instances at creation.
            scaling: How the number of instances follows the load. Default: 1 to 2 instances; None: it does not.
            network: Where the model is. Default: a new `PrivateNetwork`.
            vpc: A VPC for the new network, which must have a route to Amazon S3. Default: a new VPC.
            subnets: Subnets of `vpc`. Default: its isolated ones, or else its private ones.
            role: What SageMaker assumes to start the container. Default: a new `TgiExecutionRole`.
            log: How the container's log and the flow logs are kept. Default keys: new ones.
            data_capture: Where requests and answers are kept. Default: they are not.
            description: What the endpoint is for, in descriptions of keys. Default: its path.
            model_data_download_timeout: For copying the weights to an instance; 1 minute to 1 hour.
                Default: 20 minutes.
            container_startup_health_check_timeout: For loading them; 1 minute to 1 hour. Default: 20 minutes.
            enhanced_metrics: Whether SageMaker also publishes its metrics by instance and GPU, which are billed.
            detailed_observability: Whether SageMaker publishes OpenTelemetry metrics, which are billed.
        """
        with PropsCheck(scope, construct_id) as check:
            if network is not None and vpc is not None:
                check.reject("network, vpc", "<both>", "a network has its VPC", "give one of them")
            if subnets and vpc is None:
                check.reject("subnets", f"<{len(subnets)}>", "are of no VPC", "give their vpc, too")
            if network is not None and network.artifact_gateway is not None:
                fix = "make another PrivateNetwork, or give this one's vpc"
                check.reject("network", network.node.path, "leads to the weights of another endpoint", fix)
            super().__init__(scope, construct_id)
            self._endpoint_name = endpoint_name or cdk.Names.unique_resource_name(self, max_length=63, separator="-")
            self.network = network or PrivateNetwork(
                self,
                "Network",
                vpc=vpc,
                subnets=subnets,
                instance_type=instance_type,
                description=description,
                log=log,
            )
            """Where the model is: VPC, subnets, security group, interface endpoint of callers, flow logs."""
            self.role: iam.IRole = role or TgiExecutionRole(
                self,
                "Role",
                image=image,
                artifact=artifact,
                endpoint_name=self.endpoint_name,
                vpc=self.network.vpc,
                data_capture=data_capture,
            )
            """What SageMaker assumes to start the container."""
            if self.network.route_table_ids:
                self.network.artifact_gateway = ArtifactGatewayEndpoint(
                    self,
                    "Artifacts",
                    vpc=self.network.vpc,
                    route_table_ids=self.network.route_table_ids,
                    artifact_bucket_name=artifact.bucket_name,
                    data_capture=data_capture,
                    shared=self.network.is_shared,
                )
                # A subnet has the route only once the route table is associated with it.
                tables = [subnet.node.try_find_child("RouteTableAssociation") for subnet in self.network.subnets]
                self.network.artifact_gateway.node.add_dependency(*filter(None, tables))
            self.model = TgiModel(
                self,
                "Model",
                image=image,
                artifact=artifact,
                environment={"HF_MODEL_ID": "/opt/ml/model"} if environment is None else environment,
                role=self.role,
                subnets=self.network.subnets,
                security_groups=[self.network.model_security_group.security_group],
                artifact_route=self.network.artifact_gateway,
            )
            """Image, weights and settings."""
            self.endpoint_config = TgiEndpointConfig(
                self,
                "Config",
                model=self.model,
                instance_type=instance_type,
                initial_instance_count=instance_count,
                model_data_download_timeout=model_data_download_timeout,
                container_startup_health_check_timeout=container_startup_health_check_timeout,
                data_capture=data_capture,
                enhanced_metrics=enhanced_metrics,
                detailed_observability=detailed_observability,
            )
            """Instances, time-outs and data capture."""
            # An endpoint that gets another name goes on logging to its old group until it is deleted.
            self.encryption_key = log.key_for(self, log_group_name("*"), description=description)
            """Key of the container's log group."""
            self.endpoint = TgiEndpoint(
                self,
                "Endpoint",
                endpoint_name=self.endpoint_name,
                endpoint_config=self.endpoint_config,
                log=replace(log, encryption_key=self.encryption_key),
            )
            """The endpoint itself."""
            self.variant_name = self.endpoint.variant_name
            self.log_group: logs.ILogGroup = self.endpoint.log_group
            """Where the container logs."""
            if isinstance(self.role, TgiExecutionRole):
                self.role.outlive(*self.network.subnets, self.network.model_security_group)
                self.role.log_policy.node.add_dependency(self.log_group)
            self.scalable_target = self.endpoint.auto_scale(scaling) if scaling else None
            """The variant's instances; None without `scaling`."""
