"""CDK constructs that serve a Text Generation Inference container on a private SageMaker endpoint."""

from sagemaker_tgi.artifact import ModelArtifact
from sagemaker_tgi.artifact_gateway_endpoint import ArtifactGatewayEndpoint
from sagemaker_tgi.auto_scaling import ScalableInstanceCount
from sagemaker_tgi.endpoint import ITgiEndpoint, TgiEndpoint
from sagemaker_tgi.endpoint_config import TgiEndpointConfig
from sagemaker_tgi.execution_role import TgiExecutionRole
from sagemaker_tgi.image import EcrImage
from sagemaker_tgi.isolated_vpc import IsolatedVpc
from sagemaker_tgi.metrics import MetricOptions
from sagemaker_tgi.model import TgiModel
from sagemaker_tgi.model_security_group import ModelSecurityGroup
from sagemaker_tgi.props import InvalidPropsError
from sagemaker_tgi.runtime_interface_endpoint import RuntimeInterfaceEndpoint

__all__ = [
    "ArtifactGatewayEndpoint",
    "EcrImage",
    "ITgiEndpoint",
    "InvalidPropsError",
    "IsolatedVpc",
    "MetricOptions",
    "ModelArtifact",
    "ModelSecurityGroup",
    "RuntimeInterfaceEndpoint",
    "ScalableInstanceCount",
    "TgiEndpoint",
    "TgiEndpointConfig",
    "TgiExecutionRole",
    "TgiModel",
]
