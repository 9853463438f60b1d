"""The endpoint of one environment: model, instances, scaling, and how consumers find it."""

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mistral7b.environment import AutoScaling, Callers, Environment
from sagemaker_tgi import (
    DataCapture,
    EcrImage,
    ModelArtifact,
    TgiEndpoint,
    TgiEndpointConfig,
    TgiExecutionRole,
    TgiModel,
    acknowledge_rule,
    explain_statements,
)
from stacks.base import EnvironmentStack
from stacks.network import NetworkStack
from stacks.retention import RETENTION_DAYS
from stacks.storage import StorageStack, encryption_key


class EndpointStack(EnvironmentStack):
    """The model behind its endpoint. Outputs and a parameter tell consumers the endpoint's name."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        network: NetworkStack,
        storage: StorageStack | None,
    ) -> None:
        """Defines the stack."""
        super().__init__(scope, construct_id, environment=environment, description="SageMaker endpoint")
        data_capture = storage.data_capture if storage else None
        model = self._model(environment, network, data_capture)
        endpoint_config = TgiEndpointConfig(
            self,
            "Config",
            model=model,
            instance_type=environment.instance_type,
            initial_instance_count=environment.instance.count,
            model_data_download_timeout=cdk.Duration.seconds(environment.timeouts.model_download_seconds),
            container_startup_health_check_timeout=cdk.Duration.seconds(environment.timeouts.container_startup_seconds),
            data_capture=data_capture,
        )
        self.endpoint = TgiEndpoint(
            self,
            "Endpoint",
            endpoint_name=environment.resolved_endpoint_name,
            endpoint_config=endpoint_config,
            log_encryption_key=encryption_key(self, environment, storage),
            log_retention=RETENTION_DAYS[environment.removal.log_retention_days],
            log_removal_policy=cdk.RemovalPolicy(environment.removal.log_group.upper()),
        )
        """The endpoint."""
        if environment.auto_scaling is not None:
            self._auto_scale(environment.auto_scaling)
        self._let_invoke(environment.callers, network)
        self._tell_consumers(environment)

    def _model(self, environment: Environment, network: NetworkStack, data_capture: DataCapture | None) -> TgiModel:
        image = EcrImage.from_uri(environment.image_uri)
        artifact = ModelArtifact.from_uri(environment.artifact_uri)
        role = TgiExecutionRole(
            self,
            "Role",
            image=image,
            artifact=artifact,
            endpoint_name=environment.resolved_endpoint_name,
            subnets=network.subnets,
            security_groups=[network.security_group],
            data_capture=data_capture,
        )
        return TgiModel(
            self,
            "Model",
            image=image,
            artifact=artifact,
            environment=environment.container_environment(),
            role=role,
            subnets=network.subnets,
            security_groups=[network.security_group],
            artifact_route=network.artifact_route,
        )

    def _auto_scale(self, settings: AutoScaling) -> None:
        instances = self.endpoint.auto_scale_instance_count(
            min_capacity=settings.min_instances, max_capacity=settings.max_instances
        )
        instances.scale_on_concurrent_requests(
            "ConcurrentRequests",
            target_concurrent_requests=settings.target_concurrent_requests,
            scale_out_cooldown=cdk.Duration.seconds(settings.scale_out_cooldown_seconds),
            scale_in_cooldown=cdk.Duration.seconds(settings.scale_in_cooldown_seconds),
        )

    def _let_invoke(self, callers: Callers, network: NetworkStack) -> None:
        for name in callers.role_names:
            role = iam.Role.from_role_name(self, f"Caller-{name}", name)
            self.endpoint.grant_invoke(role, only_from_vpc=network.vpc if callers.only_from_vpc else None)
            explain_statements(
                role, {"sagemaker:InvokeEndpoint": "a role of callers.role_names asks this endpoint alone"}
            )
            acknowledge_rule(role, "IAMNoInlinePolicy", "one role's right on one endpoint, which ends with it")

    def _tell_consumers(self, environment: Environment) -> None:
        parameter = ssm.StringParameter(
            self,
            "EndpointNameParameter",
            parameter_name=f"/mistral7b/{environment.name}/endpoint-name",
            string_value=self.endpoint.endpoint_name,
            description=f"Name of the SageMaker endpoint of {environment.name}",
        )
        parameter.node.add_dependency(self.endpoint)  # a name that is published can be invoked
        for name, value, description in (
            ("EndpointName", self.endpoint.endpoint_name, "EndpointName of InvokeEndpoint"),
            ("EndpointArn", self.endpoint.endpoint_arn, "Resource of the callers' policy for sagemaker:InvokeEndpoint"),
            ("LogGroupName", self.endpoint.log_group.log_group_name, "Where the container logs"),
            ("ParameterName", parameter.parameter_name, "SSM parameter that holds the endpoint's name"),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)
