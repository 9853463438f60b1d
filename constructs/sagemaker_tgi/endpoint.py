"""The SageMaker endpoint: what callers invoke."""

import aws_cdk as cdk
import jsii
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.interfaces.aws_sagemaker import EndpointReference
from constructs import Construct

from sagemaker_tgi.arns import INVOKE_ACTIONS, NAME_PATTERN, endpoint_arn, log_group_name
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.endpoint_config import TgiEndpointConfig
from sagemaker_tgi.metrics import VariantMetrics
from sagemaker_tgi.props import PropsCheck

_NAME_FIX = "use up to 63 letters, digits and hyphens"


@jsii.implements(sagemaker.IEndpoint)
class ITgiEndpoint(VariantMetrics, cdk.Resource):
    """An endpoint, of this app or not: its name, who may invoke it, and its metrics.

    It is an `aws_sagemaker.IEndpoint`, for constructs that ask for one: members of that have to be properties and
    methods, and to come before `cdk.Resource`, for the CDK to find them.
    """

    @property
    def endpoint_arn(self) -> str:
        """ARN of the endpoint."""
        return endpoint_arn(self.stack, self.endpoint_name)

    def grant_invoke(self, grantee: iam.IGrantable, *, only_from_vpc: ec2.IVpc | None = None) -> iam.Grant:
        """Lets `grantee` invoke this endpoint, for whole answers and for streams.

        Args:
            grantee: Who may.
            only_from_vpc: The only VPC it may call from, which needs an interface endpoint for `sagemaker.runtime`.
                Default: from anywhere.
        """
        statement = self.invoke_statement(only_from_vpc=only_from_vpc)
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=statement.actions,
            resource_arns=statement.resources,
            conditions=statement.conditions,
        )

    def invoke_statement(self, *, only_from_vpc: ec2.IVpc | None = None) -> iam.PolicyStatement:
        """What `grant_invoke` allows, for a policy of your own."""
        return iam.PolicyStatement(
            sid="InvokeEndpoint",
            actions=INVOKE_ACTIONS,
            resources=[self.endpoint_arn],
            conditions={"StringEquals": {"aws:SourceVpc": only_from_vpc.vpc_id}} if only_from_vpc else None,
        )

    @property
    def endpoint_ref(self) -> EndpointReference:
        """The endpoint, as the CDK's constructs refer to resources."""
        return EndpointReference(endpoint_arn=self.endpoint_arn)


class _ImportedEndpoint(ITgiEndpoint):
    def __init__(self, scope: Construct, construct_id: str, *, endpoint_name: str, variant_name: str) -> None:
        super().__init__(scope, construct_id)
        self._endpoint_name = endpoint_name
        self.variant_name = variant_name


class TgiEndpoint(ITgiEndpoint):
    """A real-time endpoint with its log group.

    The name is a literal, so that alarms, log group and policies can name the endpoint before it exists. An update
    keeps the number of instances if the endpoint scales by itself; otherwise it sets the configuration's. With the
    number it can keep what is captured (botocore: DataCaptureConfig "is not currently supported" as an exclusion).
    """

    @staticmethod
    def from_endpoint_name(
        scope: Construct, construct_id: str, endpoint_name: str, *, variant_name: str = "AllTraffic"
    ) -> ITgiEndpoint:
        """An endpoint of the stack's account and region that exists already."""
        return _ImportedEndpoint(scope, construct_id, endpoint_name=endpoint_name, variant_name=variant_name)

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        endpoint_config: TgiEndpointConfig,
        log_retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH,
        log_removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
        log_encryption_key: kms.IKey | None = None,
        deployment_config: sagemaker.CfnEndpoint.DeploymentConfigProperty | None = None,
    ) -> None:
        """Defines the endpoint.

        Args:
            endpoint_name: Name of the endpoint, unique within account and region.
            endpoint_config: What to run.
            log_retention: How long the container's log is kept.
            log_removal_policy: What happens to the log group on removal. One that is retained has to be deleted
                or imported before an endpoint of this name can be deployed again.
            log_encryption_key: Key of the log group, whose policy lets CloudWatch Logs use it for this group.
                Default: CloudWatch Logs' own.
            deployment_config: How an update replaces instances. Default: SageMaker's, all at once on a second
                fleet, without alarms.
        """
        with PropsCheck(scope, construct_id) as check:
            if cdk.Token.is_unresolved(endpoint_name):
                reason = "is not known before deployment"
                check.reject("endpoint_name", "<token>", reason, "give a literal, which alarms and policies can use")
            check.matches("endpoint_name", endpoint_name, NAME_PATTERN, _NAME_FIX)
        super().__init__(scope, construct_id)

        self._endpoint_name = endpoint_name
        self.variant_name = endpoint_config.variant_name
        # SageMaker creates the group, to be kept for ever, unless it exists. It has to go last: an endpoint that is
        # being removed still writes to it and would create it anew.
        self.log_group: logs.ILogGroup = logs.LogGroup(
            self,
            "LogGroup",
            log_group_name=log_group_name(endpoint_name),
            encryption_key=log_encryption_key,
            retention=log_retention,
            removal_policy=log_removal_policy,
        )
        """Where the container logs."""
        self._resource = sagemaker.CfnEndpoint(
            self,
            "Resource",
            endpoint_name=endpoint_name,
            endpoint_config_name=endpoint_config.endpoint_config_name,
            deployment_config=deployment_config,
        )
        self._resource.node.add_dependency(self.log_group)

    def auto_scale(self, scaling: InstanceScaling) -> appscaling.ScalableTarget:
        """Lets the number of instances follow the load; once for an endpoint."""
        target = scaling.register(self, endpoint_name=self.endpoint_name, variant_name=self.variant_name)
        target.node.add_dependency(self._resource)
        self._resource.retain_all_variant_properties = True  # an update would take the added instances away
        return target
