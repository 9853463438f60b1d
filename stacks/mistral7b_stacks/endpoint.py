"""The stack of one environment: network, model, instances, scaling, and how consumers find the endpoint."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct, IDependable

from mistral7b.environment import AutoScaling, Callers, Environment
from mistral7b.environment import DataCapture as DataCaptureSettings
from mistral7b.promotion.names import gate_role_name
from mistral7b_stacks.base import EnvironmentStack
from mistral7b_stacks.encryption import encryption_key
from mistral7b_stacks.network import Network
from mistral7b_stacks.retention import REMOVAL, RETENTION_DAYS
from sagemaker_tgi import (
    INVOKE_ACTIONS,
    ArtifactGatewayEndpoint,
    DataCapture,
    DataCaptureBucket,
    EcrImage,
    GateRole,
    ModelArtifact,
    NamedRole,
    TgiEndpoint,
    TgiEndpointConfig,
    TgiExecutionRole,
    TgiModel,
    endpoint_log_group_name,
    explain_statements,
)

# What the SageMaker SDK and Studio know a JumpStart model by the tags of.
_KNOWN_TO_JUMPSTART = [f"AWS::SageMaker::{one}" for one in ("Model", "EndpointConfig", "Endpoint")]


class EndpointStack(EnvironmentStack):
    """The model behind its endpoint in a network of its own, its way to S3, and what is kept of its requests.

    Outputs and a parameter tell consumers the endpoint's name. It is one stack, so that CloudFormation puts whatever
    changes, the VPC included, beside the old, moves the endpoint over, and removes the old last: it changes no export
    that another stack imports.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        gatekeepers: Sequence[NamedRole] = (),
    ) -> None:
        """Defines the stack.

        Args:
            scope: The environment's stage.
            construct_id: Id within `scope`.
            environment: The environment.
            gatekeepers: Roles that take on the gate role, for smoke test and gates. Default: there is no gate role.
        """
        super().__init__(scope, construct_id, environment=environment, description="SageMaker endpoint")
        network = Network(self, "Network", environment=environment)
        data_capture = self._data_capture(environment, environment.data_capture) if environment.data_capture else None
        role = TgiExecutionRole(
            self,
            "Role",
            image=EcrImage.from_uri(environment.image_uri),
            artifact=ModelArtifact.from_uri(environment.artifact_uri),
            endpoint_name=environment.resolved_endpoint_name,
            vpc=network.vpc,
            data_capture=data_capture,
        )
        role.outlive(*network.subnets, network.group)
        model = self._model(environment, network, role, data_capture)
        endpoint_config = TgiEndpointConfig(
            self,
            "Config",
            model=model,
            instance_type=environment.instance_type,
            initial_instance_count=environment.instance.count,
            model_data_download_timeout=cdk.Duration.seconds(environment.timeouts.model_download_seconds),
            container_startup_health_check_timeout=cdk.Duration.seconds(environment.timeouts.container_startup_seconds),
            data_capture=data_capture,
            detailed_observability=environment.detailed_observability,
        )
        self.endpoint = TgiEndpoint(
            self,
            "Endpoint",
            endpoint_name=environment.resolved_endpoint_name,
            endpoint_config=endpoint_config,
            log_encryption_key=encryption_key(
                self,
                "Key",
                environment=environment,
                # An endpoint that gets another name goes on logging to its old group until it has gone.
                log_group=endpoint_log_group_name("*"),
                removal=environment.removal.log_group,
            ),
            log_retention=RETENTION_DAYS[environment.removal.log_retention_days],
            log_removal_policy=REMOVAL[environment.removal.log_group],
        )
        """The endpoint."""
        role.log_policy.node.add_dependency(self.endpoint.log_group)
        if environment.auto_scaling is not None:
            self._auto_scale(environment.auto_scaling)
        callers = self._let_invoke(environment.callers, network.vpc)
        if gatekeepers:
            name = gate_role_name(environment.name)
            GateRole(self, "GateRole", role_name=name, endpoint=self.endpoint, trusted=gatekeepers)
        self._tell_consumers(environment, callers)
        for key, value in environment.version.jumpstart_tags.items():
            cdk.Tags.of(self).add(key, value, include_resource_types=_KNOWN_TO_JUMPSTART)
        cdk.CfnOutput(self, "VpcId", value=network.vpc.vpc_id, description="VPC of the model and of private callers")

    def _data_capture(self, environment: Environment, settings: DataCaptureSettings) -> DataCapture:
        removal = environment.removal.captured_data
        key = encryption_key(self, "DataCaptureKey", environment=environment, removal=removal)
        kept = DataCaptureBucket(
            self,
            "DataCapture",
            encryption_key=key,
            retention=cdk.Duration.days(settings.retention_days),
            removal_policy=REMOVAL[removal],
        )
        capture = DataCapture(
            bucket=kept.bucket,
            encryption_key=key,
            sampling_percentage=settings.sampling_percentage,
            modes=settings.modes,
        )
        uri = capture.bucket.s3_url_for_object(capture.prefix)
        cdk.CfnOutput(self, "DataCaptureUri", value=uri, description="Captured requests, by endpoint, variant and hour")
        return capture

    def _model(
        self, environment: Environment, network: Network, role: TgiExecutionRole, data_capture: DataCapture | None
    ) -> TgiModel:
        artifact = ModelArtifact.from_uri(environment.artifact_uri)
        return TgiModel(
            self,
            "Model",
            image=EcrImage.from_uri(environment.image_uri),
            artifact=artifact,
            environment=environment.container_environment(),
            role=role,
            subnets=network.subnets,
            security_groups=[network.group.security_group],
            artifact_route=self._way_to_s3(artifact, network, data_capture),
        )

    def _way_to_s3(
        self, artifact: ModelArtifact, network: Network, data_capture: DataCapture | None
    ) -> IDependable | None:
        """What has to exist before the weights can be copied; None where the existing VPC sees to it."""
        if not network.route_table_ids:
            return None
        gateway = ArtifactGatewayEndpoint(
            self,
            "Artifacts",
            vpc=network.vpc,
            route_table_ids=network.route_table_ids,
            artifact_bucket_name=artifact.bucket_name,
            data_capture=data_capture,
            shared=network.shared,
        )
        # A route leads from a subnet once its table is the subnet's.
        tables = [subnet.node.try_find_child("RouteTableAssociation") for subnet in network.subnets]
        gateway.node.add_dependency(*filter(None, tables))
        return gateway

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

    def _let_invoke(self, callers: Callers, vpc: ec2.IVpc) -> list[IDependable]:
        """A policy on each role, replaced where the endpoint is: a caller may ask the old one until it has gone."""
        return [self._caller(name, vpc if callers.only_from_vpc else None) for name in callers.role_names]

    def _caller(self, name: str, vpc: ec2.IVpc | None) -> IDependable:
        statement = iam.PolicyStatement(
            sid="InvokeEndpoint",
            actions=INVOKE_ACTIONS,
            resources=[self.endpoint.endpoint_arn],
            conditions={"StringEquals": {"aws:SourceVpc": vpc.vpc_id}} if vpc else None,
        )
        policy = iam.CfnRolePolicy(
            self,
            f"Caller-{name}",
            role_name=name,
            policy_name=f"invoke-{self.endpoint.endpoint_name}-{self.region}",
            policy_document=iam.PolicyDocument(statements=[statement]),
        )
        explain_statements(policy, {"InvokeEndpoint": "a role of callers.role_names asks this endpoint alone"})
        return policy

    def _tell_consumers(self, environment: Environment, callers: Sequence[IDependable]) -> None:
        parameter = ssm.StringParameter(
            self,
            "EndpointNameParameter",
            parameter_name=f"/mistral7b/{environment.name}/endpoint-name",
            string_value=self.endpoint.endpoint_name,
            description=f"Name of the SageMaker endpoint of {environment.name}",
        )
        parameter.node.add_dependency(self.endpoint, *callers)  # a name that is published can be invoked
        for name, value, description in (
            ("EndpointName", self.endpoint.endpoint_name, "EndpointName of InvokeEndpoint"),
            ("EndpointArn", self.endpoint.endpoint_arn, "Resource of the callers' policy for sagemaker:InvokeEndpoint"),
            ("LogGroupName", self.endpoint.log_group.log_group_name, "Where the container logs"),
            ("ParameterName", parameter.parameter_name, "SSM parameter that holds the endpoint's name"),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)
