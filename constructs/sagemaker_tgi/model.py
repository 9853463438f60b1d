"""The SageMaker model: image, weights, settings, role and network."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct, IDependable

from sagemaker_tgi.artifact import EcrImage, ModelArtifact
from sagemaker_tgi.compliance import acknowledge_lint
from sagemaker_tgi.props import MAX_SECURITY_GROUPS, MAX_SUBNETS, PropsCheck

# EnvironmentMap, EnvironmentKey and EnvironmentValue in the SageMaker API.
_MAX_VARIABLES = 100
_VARIABLE_NAME = r"[a-zA-Z_][a-zA-Z0-9_]{0,1023}"
_MAX_VALUE_LENGTH = 1024
# ContainerImage and S3ModelUri in the SageMaker API.
_LONGEST_IMAGE, _LONGEST_ARTIFACT = 255, 1024


class TgiModel(cdk.Resource):
    """A model for the Text Generation Inference container, isolated from the network.

    A SageMaker model cannot be changed: every change of a prop replaces it. So it has no name of its own, which
    would collide with the model that it replaces.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        image: EcrImage,
        artifact: ModelArtifact,
        environment: Mapping[str, str],
        role: iam.IRole,
        subnets: Sequence[ec2.ISubnet] = (),
        security_groups: Sequence[ec2.ISecurityGroup] = (),
        artifact_route: IDependable | None = None,
    ) -> None:
        """Defines the model.

        Args:
            image: The container image.
            artifact: The weights, which SageMaker copies to /opt/ml/model.
            environment: The container's environment variables. HF_MODEL_ID is a path in the container.
            role: What SageMaker assumes to start the container, such as a `TgiExecutionRole`.
            subnets: Subnets of the model's network interfaces. Default: none, the model is in no VPC.
            security_groups: Their security groups; at least one where there are subnets. Default: none.
            artifact_route: What has to exist before SageMaker can copy the weights through the VPC, such as an
                `ArtifactGatewayEndpoint`. Default: none, the route is there already.
        """
        with PropsCheck(scope, construct_id) as check:
            check.no_longer_than("image (uri)", image.uri, _LONGEST_IMAGE)
            region = cdk.Stack.of(scope).region
            if image.region != region and not cdk.Token.is_unresolved(region):
                reason = f"SageMaker takes only images of its own region, here {region}"
                check.reject("image (uri)", image.uri, reason, "give that region's image")
            check.no_longer_than("artifact (uri)", artifact.uri, _LONGEST_ARTIFACT)
            _check_environment(check, environment)
            if bool(subnets) != bool(security_groups):
                counts = f"<{len(subnets)} subnets, {len(security_groups)} security groups>"
                reason = "one is given without the other"
                check.reject("subnets, security_groups", counts, reason, "give both or neither")
            check.between("subnets (count)", len(subnets), 0, MAX_SUBNETS)
            check.between("security_groups (count)", len(security_groups), 0, MAX_SECURITY_GROUPS)
        super().__init__(scope, construct_id)

        vpc_config = sagemaker.CfnModel.VpcConfigProperty(
            security_group_ids=[group.security_group_id for group in security_groups],
            subnets=[subnet.subnet_id for subnet in subnets],
        )
        self._resource = sagemaker.CfnModel(
            self,
            "Resource",
            execution_role_arn=role.role_arn,
            enable_network_isolation=True,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=image.uri,
                model_data_source=sagemaker.CfnModel.ModelDataSourceProperty(
                    s3_data_source=sagemaker.CfnModel.S3DataSourceProperty(
                        s3_uri=artifact.uri,
                        s3_data_type="S3Object" if artifact.is_archive else "S3Prefix",
                        compression_type="Gzip" if artifact.is_archive else "None",
                    )
                ),
                environment=dict(environment),
            ),
            vpc_config=vpc_config if subnets else None,
        )
        # CreateModel checks the role's permissions and the way to S3: both have to be complete.
        self.node.add_dependency(role)
        acknowledge_lint(
            self._resource,
            "W3005",
            "a reference to the role brings no policies that were added to it; a dependency does",
        )
        if artifact_route is not None:
            self.node.add_dependency(artifact_route)

    @property
    def model_name(self) -> str:
        """Name of the model, as CloudFormation generates it."""
        return self._resource.attr_model_name


def _check_environment(check: PropsCheck, environment: Mapping[str, str]) -> None:
    if len(environment) > _MAX_VARIABLES:
        check.reject("environment", f"<{len(environment)} variables>", "is too long", f"give at most {_MAX_VARIABLES}")
    for name, value in environment.items():
        prop = f"environment[{name!r}]"
        check.matches(f"{prop} (name)", name, _VARIABLE_NAME, "use letters, digits and underscores")
        if not isinstance(value, str):
            check.reject(prop, value, "is not a string, which CloudFormation wants here", f"write {str(value)!r}")
        else:
            check.no_longer_than(prop, value, _MAX_VALUE_LENGTH)
    model_id = environment.get("HF_MODEL_ID")
    if not isinstance(model_id, str) or not (model_id.startswith("/") or cdk.Token.is_unresolved(model_id)):
        reason = "the container starts nothing without a model, and an isolated one cannot reach the Hugging Face Hub"
        check.reject("environment['HF_MODEL_ID']", model_id, reason, "write '/opt/ml/model', where the weights are")
