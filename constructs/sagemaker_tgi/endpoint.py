"""The SageMaker endpoint: what callers invoke."""

import aws_cdk as cdk
import jsii
from aws_cdk import aws_applicationautoscaling as appscaling
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sagemaker as sagemaker
from aws_cdk.interfaces.aws_sagemaker import EndpointReference
from constructs import Construct

from sagemaker_tgi.arns import INVOKE_ACTIONS, NAME_PATTERN, endpoint_arn, log_group_name
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.endpoint_config import TgiEndpointConfig
from sagemaker_tgi.log_group import DEFAULT_LOG, LogOptions
from sagemaker_tgi.metrics import VariantMetrics
from sagemaker_tgi.permissions import Permission
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
        return iam.Grant.add_to_principal(
            grantee=grantee,
            actions=INVOKE_ACTIONS,
            resource_arns=[self.endpoint_arn],
            conditions=_from_vpc(only_from_vpc),
        )

    def invoke_permission(self, reason: str, *, only_from_vpc: ec2.IVpc | None = None) -> Permission:
        """What `grant_invoke` allows, for a policy of your own."""
        return Permission(
            sid="InvokeEndpoint",
            reason=reason,
            actions=INVOKE_ACTIONS,
            resources=[self.endpoint_arn],
            conditions=_from_vpc(only_from_vpc),
        )

    @property
    def endpoint_ref(self) -> EndpointReference:
        """The endpoint, as the CDK's constructs refer to resources."""
        return EndpointReference(endpoint_arn=self.endpoint_arn)


def _from_vpc(vpc: ec2.IVpc | None) -> dict[str, dict[str, str]] | None:
    return {"StringEquals": {"aws:SourceVpc": vpc.vpc_id}} if vpc else None


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
        endpoint = ITgiEndpoint(scope, construct_id)
        endpoint._endpoint_name, endpoint.variant_name = endpoint_name, variant_name
        return endpoint

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        endpoint_name: str,
        endpoint_config: TgiEndpointConfig,
        deployment_config: sagemaker.CfnEndpoint.DeploymentConfigProperty | None = None,
        log: LogOptions = DEFAULT_LOG,
    ) -> None:
        """Defines the endpoint.

        Args:
            endpoint_name: Name of the endpoint, unique within account and region.
            endpoint_config: What to run.
            deployment_config: How an update replaces instances. Default: SageMaker's, all at once on a second
                fleet, without alarms.
            log: How the container's log is kept. Default key: CloudWatch Logs' own.
        """
        with PropsCheck(scope, construct_id) as check:
            if cdk.Token.is_unresolved(endpoint_name):
                reason = "is not known before deployment"
                check.reject("endpoint_name", "<token>", reason, "give a literal, which alarms and policies can use")
            check.matches("endpoint_name", endpoint_name, NAME_PATTERN, _NAME_FIX)
        super().__init__(scope, construct_id)

        self._endpoint_name = endpoint_name
        self.variant_name = endpoint_config.variant_name
        # SageMaker creates the group, without a retention, unless it exists. It has to be deleted last: an endpoint
        # that is being deleted still writes to it, and would create it again.
        self.log_group: logs.ILogGroup = log.new_group(self, log_group_name(endpoint_name))
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
