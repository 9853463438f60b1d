"""The stack of one environment: network, model, instances, scaling, and how consumers find the endpoint."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import aws_cdk as cdk
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from mistral7b import catalog
from mistral7b.environment import (
    Alarms,
    AutoScaling,
    Callers,
    Environment,
    ExistingVpc,
    OwnVpc,
    ScheduledBounds,
    Updates,
)
from mistral7b.environment import DataCapture as DataCaptureSettings
from mistral7b.operate.reads import permissions
from mistral7b.promotion.names import gate_role_name
from mistral7b_stacks.base import REMOVAL, RETENTION_DAYS, EnvironmentStack
from sagemaker_tgi import (
    AlarmTopic,
    DataCapture,
    EcrImage,
    EncryptionKey,
    EndpointAlarms,
    EndpointDashboard,
    GateRole,
    InstanceScaling,
    LogOptions,
    ModelArtifact,
    NamedRole,
    OfficeHours,
    Permission,
    PrivateBucket,
    PrivateNetwork,
    PrivateTgiEndpoint,
    UpdatePolicy,
    acknowledge,
    count_refusals,
    explain,
    start_stop_permissions,
)

# Days of the month, months and days of the week of AWS's cron expressions.
_DAYS = {"daily": "* * ?", "weekdays": "? * MON-FRI", "weekends": "? * SAT,SUN"}
# Resources by whose tags the SageMaker SDK and Studio recognize a JumpStart model.
_TAGGED_BY_JUMPSTART = [f"AWS::SageMaker::{one}" for one in ("Model", "EndpointConfig", "Endpoint")]


class EndpointStack(EnvironmentStack):
    """A private endpoint with the settings of an environment file, its callers, and what publishes its name.

    It is one stack, so that CloudFormation creates what replaces a resource, the VPC included, before it moves the
    endpoint over, and deletes the old resources last. With exports between stacks it could not.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: Environment,
        trusted_roles: Sequence[NamedRole] = (),
        reads_alarms: bool = False,
    ) -> None:
        """Defines the stack; `trusted_roles` assume the gate role, which may read alarms. Without, there is none."""
        super().__init__(scope, construct_id, environment=environment, description="SageMaker endpoint")
        given_key = environment.encryption.kms_key_arn
        key = kms.Key.from_key_arn(self, "GivenKey", given_key) if given_key else None
        log = LogOptions(
            encryption_key=key,
            retention=RETENTION_DAYS[environment.removal.log_retention_days],
            removal_policy=REMOVAL[environment.removal.log_group],
        )
        description = f"Mistral 7B, {environment.name}"
        existing = environment.network.existing_vpc
        network = PrivateNetwork(
            self,
            "Network",
            vpc=self._import_vpc(existing) if existing else None,
            route_table_ids=existing.route_table_ids if existing else (),
            availability_zones=environment.availability_zones,
            cidr=(environment.own_vpc or OwnVpc()).cidr,
            s3_prefix_list_id=environment.network.s3_prefix_list_id,
            runtime_endpoint=environment.network.runtime_endpoint,
            description=description,
            flow_log_group_name=f"/mistral7b/{environment.name}/vpc-flow-logs",
            log=log,
        )
        scaling, capture, updates = self._scaling(environment), environment.data_capture, environment.updates
        alarms = self._alarms(environment, environment.alarms, scaling) if environment.alarms else None
        artifact = ModelArtifact.from_uri(environment.artifact_uri)
        if own := environment.artifact:
            artifact = replace(artifact, account=own.account or self.account, encryption_key_arn=own.kms_key_arn)
        private = PrivateTgiEndpoint(
            self,
            "Default",  # no part of logical ids: each is that of the part in this stack
            image=EcrImage.from_uri(environment.image_uri),
            artifact=artifact,
            environment=environment.container_environment(),
            endpoint_name=environment.resolved_endpoint_name,
            instance_type=environment.instance_type,
            instance_count=environment.instance.count,
            scaling=scaling,
            network=network,
            data_capture=self._data_capture(environment, capture, key) if capture else None,
            description=description,
            model_data_download_timeout=cdk.Duration.seconds(environment.timeouts.model_download_seconds),
            container_startup_health_check_timeout=cdk.Duration.seconds(environment.timeouts.container_startup_seconds),
            enhanced_metrics=environment.enhanced_metrics,
            detailed_observability=environment.detailed_observability,
            update_policy=self._update_policy(updates, alarms.by_kind) if updates and alarms else None,
            log=log,
        )
        self.endpoint = private.endpoint
        """The endpoint."""
        if alarms is not None and "refused_requests" in alarms.by_kind:
            count_refusals(self, private.log_group, endpoint_name=self.endpoint.endpoint_name)
        if environment.dashboard:
            percentile, seconds = environment.latency_objective
            EndpointDashboard(
                self,
                "Dashboard",
                endpoint_name=environment.resolved_endpoint_name,
                alarms=[*alarms.by_kind.values()] if alarms else [],
                scaling=scaling,
                max_concurrent_requests=environment.launcher_settings().max_concurrent_requests,
                latency={f"objective, {percentile}": seconds},
            )
        policies = self._grant_callers(environment.callers, network.vpc)
        self._grant_operators(environment)
        hours = environment.office_hours
        if hours is not None:
            opens, closes = hours.hours
            OfficeHours(
                self,
                "OfficeHours",
                endpoint=private.endpoint,
                endpoint_config=private.endpoint_config,
                time_zone=hours.time_zone,
                opens=opens,
                closes=closes,
            )
        if trusted_roles:
            GateRole(
                self,
                "GateRole",
                role_name=gate_role_name(environment.name),
                endpoint=self.endpoint,
                trusted=trusted_roles,
                more=[
                    *(start_stop_permissions(private.endpoint, private.endpoint_config) if hours else ()),
                    *([_read(alarms)] if alarms and reads_alarms else []),
                ],
            )
        self._publish_outputs(environment, policies)
        for tag, value in environment.version.jumpstart_tags.items() if not own and not environment.image else ():
            cdk.Tags.of(self).add(tag, value, include_resource_types=_TAGGED_BY_JUMPSTART)
        cdk.CfnOutput(self, "VpcId", value=network.vpc.vpc_id, description="VPC of the model and of private callers")

    @staticmethod
    def _update_policy(updates: Updates, alarms: Mapping[str, cloudwatch.IAlarm]) -> UpdatePolicy:
        maximum = updates.maximum_seconds
        return UpdatePolicy(
            strategy=updates.strategy.upper(),
            rollback_alarms=[alarms[kind] for kind in updates.rollback_alarms],
            batch_percent=updates.batch_percent,
            batch_instances=updates.batch_instances,
            wait=cdk.Duration.seconds(updates.wait_seconds),
            bake=cdk.Duration.seconds(updates.bake_seconds),
            maximum=cdk.Duration.seconds(maximum) if maximum else None,
        )

    @staticmethod
    def _scaling(environment: Environment) -> InstanceScaling | None:
        scaling = environment.auto_scaling
        if scaling is None:
            return None
        return InstanceScaling(
            min_capacity=scaling.min_instances,
            max_capacity=scaling.max_instances,
            target_concurrent_requests=scaling.target_concurrent_requests,
            scale_out_cooldown=cdk.Duration.seconds(scaling.scale_out_cooldown_seconds),
            scale_in_cooldown=cdk.Duration.seconds(scaling.scale_in_cooldown_seconds),
            schedule={f"{one.days}-{one.at.replace(':', '')}": _scheduled(scaling, one) for one in scaling.schedule},
        )

    def _alarms(self, environment: Environment, settings: Alarms, scaling: InstanceScaling | None) -> EndpointAlarms:
        arn, name = settings.existing_topic_arn, f"Mistral 7B, {environment.name}"
        topic = (
            sns.Topic.from_topic_arn(self, "GivenTopic", arn)
            if arn
            else AlarmTopic(self, "AlarmTopic", display_name=name, emails=settings.emails).topic
        )
        cdk.CfnOutput(self, "AlarmTopicArn", value=topic.topic_arn, description="Topic of the alarms, to subscribe to")
        return EndpointAlarms(
            self,
            "Alarms",
            endpoint_name=environment.resolved_endpoint_name,
            thresholds=environment.alarm_thresholds,
            latency_statistic=environment.latency_objective[0],
            gpus=catalog.instance_type(environment.instance_type).gpus,
            scaling=scaling,
            topic=topic,
        )

    def _import_vpc(self, settings: ExistingVpc) -> ec2.IVpc:
        vpc = ec2.Vpc.from_vpc_attributes(
            self,
            "ExistingVpc",
            vpc_id=settings.vpc_id,
            vpc_cidr_block=settings.cidr,
            availability_zones=settings.availability_zones,
            isolated_subnet_ids=settings.subnet_ids,
        )
        acknowledge(
            vpc,
            "the route tables that get the S3 endpoint are given separately; nothing reads those of the subnets",
            "@aws-cdk/aws-ec2:noSubnetRouteTableId",
        )
        return vpc

    def _data_capture(
        self, environment: Environment, settings: DataCaptureSettings, given_key: kms.IKey | None
    ) -> DataCapture:
        """A bucket with a key of its own: who may read log groups need not read captured requests."""
        removal_policy = REMOVAL[environment.removal.captured_data]
        key = given_key or EncryptionKey(
            self,
            "DataCaptureKey",
            description=f"Mistral 7B, {environment.name}: captured requests",
            removal_policy=removal_policy,
        )
        kept = PrivateBucket(
            self,
            "DataCapture",
            encryption_key=key,
            retention=cdk.Duration.days(settings.retention_days),
            removal_policy=removal_policy,
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

    def _grant_callers(self, callers: Callers, vpc: ec2.IVpc) -> list[iam.CfnRolePolicy]:
        """A policy on each role, replaced with the endpoint: a caller may invoke the old one until it is deleted."""
        invoke = self.endpoint.invoke_permission(
            "a role of callers.role_names invokes this endpoint only",
            only_from_vpc=vpc if callers.only_from_vpc else None,
        )
        policy_name = f"invoke-{self.endpoint.endpoint_name}-{self.region}"
        return self._role_policies("Caller", callers.role_names, policy_name, [invoke])

    def _grant_operators(self, environment: Environment) -> None:
        """What `mistral7b doctor` reads, on each role that is named for it."""
        found = permissions(environment, self.partition, self.account, self.region)
        statements = [
            Permission(f"Doctor{number}", f"mistral7b doctor checks: {check}", actions, [resource])
            for number, (check, resource, actions) in enumerate(found, start=1)
        ]
        policy_name = f"doctor-{environment.name}-{self.region}"
        self._role_policies("Operator", environment.operators.role_names, policy_name, statements)

    def _role_policies(
        self, kind: str, role_names: Sequence[str], policy_name: str, permissions: Sequence[Permission]
    ) -> list[iam.CfnRolePolicy]:
        """An inline policy of these permissions on each of the roles."""
        policies = [
            iam.CfnRolePolicy(
                self,
                f"{kind}-{distinct}",
                role_name=name,
                policy_name=policy_name,
                policy_document=iam.PolicyDocument(statements=[one.statement() for one in permissions]),
            )
            for name, distinct in _distinct(role_names)
        ]
        for policy in policies:
            explain(policy, permissions)
        return policies

    def _publish_outputs(self, environment: Environment, policies: Sequence[iam.CfnRolePolicy]) -> None:
        parameter = ssm.StringParameter(
            self,
            "EndpointNameParameter",
            parameter_name=f"/mistral7b/{environment.name}/endpoint-name",
            string_value=self.endpoint.endpoint_name,
            description=f"Name of the SageMaker endpoint of {environment.name}",
        )
        parameter.node.add_dependency(self.endpoint, *policies)  # whoever reads the name can invoke the endpoint
        for name, value, description in (
            ("EndpointName", self.endpoint.endpoint_name, "EndpointName of InvokeEndpoint"),
            ("EndpointArn", self.endpoint.endpoint_arn, "Resource of the callers' policy for sagemaker:InvokeEndpoint"),
            ("LogGroupName", self.endpoint.log_group.log_group_name, "Where the container logs"),
            ("ParameterName", parameter.parameter_name, "SSM parameter that holds the endpoint's name"),
        ):
            cdk.CfnOutput(self, name, value=value, description=description)


def _read(alarms: EndpointAlarms) -> Permission:
    reason = "whether the alarms of this endpoint stay quiet after a deployment"
    actions = ["cloudwatch:DescribeAlarmHistory", "cloudwatch:DescribeAlarms"]
    return Permission("ReadAlarms", reason, actions, [alarm.alarm_arn for alarm in alarms.by_kind.values()])


def _scheduled(scaling: AutoScaling, entry: ScheduledBounds) -> appscaling.ScalingSchedule:
    (hour, minute), (low, high) = map(int, entry.at.split(":")), scaling.bounds_at(entry)
    return appscaling.ScalingSchedule(
        schedule=appscaling.Schedule.expression(f"cron({minute} {hour} {_DAYS[entry.days]} *)"),
        min_capacity=low,
        max_capacity=high,
        time_zone=cdk.TimeZone.of(scaling.time_zone),
    )


def _distinct(names: Sequence[str]) -> list[tuple[str, str]]:
    """Each name with an id: logical ids have letters and digits alone, so that `a-b` and `ab` would be one."""
    bare = [re.sub("[^A-Za-z0-9]", "", name) for name in names]
    return [(n, n if bare.count(b) == 1 else f"{n}-{n.encode().hex()}") for n, b in zip(names, bare, strict=True)]
