"""CDK constructs that serve a Text Generation Inference container on a private SageMaker endpoint."""

from sagemaker_tgi.arns import INVOKE_ACTIONS
from sagemaker_tgi.arns import log_group_name as endpoint_log_group_name
from sagemaker_tgi.artifact import ModelArtifact
from sagemaker_tgi.artifact_gateway_endpoint import ArtifactGatewayEndpoint
from sagemaker_tgi.auto_scaling import InstanceScaling
from sagemaker_tgi.compliance import (
    acknowledge,
    acknowledge_lint,
    acknowledge_rule,
    acknowledge_wildcards,
    explain_statements,
)
from sagemaker_tgi.data_capture import DataCapture, DataCaptureBucket
from sagemaker_tgi.encryption_key import EncryptionKey
from sagemaker_tgi.endpoint import ITgiEndpoint, TgiEndpoint
from sagemaker_tgi.endpoint_config import TgiEndpointConfig
from sagemaker_tgi.execution_role import TgiExecutionRole
from sagemaker_tgi.gate_role import GateRole, NamedRole
from sagemaker_tgi.image import EcrImage
from sagemaker_tgi.isolated_vpc import IsolatedVpc
from sagemaker_tgi.jumpstart import JumpStartMistral
from sagemaker_tgi.metrics import MetricOptions
from sagemaker_tgi.model import TgiModel
from sagemaker_tgi.model_security_group import ModelSecurityGroup
from sagemaker_tgi.private_bucket import AccessLogBucket, PrivateBucket
from sagemaker_tgi.private_network import PrivateNetwork
from sagemaker_tgi.private_tgi_endpoint import PrivateTgiEndpoint
from sagemaker_tgi.props import InvalidPropsError
from sagemaker_tgi.runtime_interface_endpoint import RuntimeInterfaceEndpoint
from sagemaker_tgi.vpc_flow_log import VpcFlowLog

__all__ = [
    "INVOKE_ACTIONS",
    "AccessLogBucket",
    "ArtifactGatewayEndpoint",
    "DataCapture",
    "DataCaptureBucket",
    "EcrImage",
    "EncryptionKey",
    "GateRole",
    "ITgiEndpoint",
    "InstanceScaling",
    "InvalidPropsError",
    "IsolatedVpc",
    "JumpStartMistral",
    "MetricOptions",
    "ModelArtifact",
    "ModelSecurityGroup",
    "NamedRole",
    "PrivateBucket",
    "PrivateNetwork",
    "PrivateTgiEndpoint",
    "RuntimeInterfaceEndpoint",
    "TgiEndpoint",
    "TgiEndpointConfig",
    "TgiExecutionRole",
    "TgiModel",
    "VpcFlowLog",
    "acknowledge",
    "acknowledge_lint",
    "acknowledge_rule",
    "acknowledge_wildcards",
    "endpoint_log_group_name",
    "explain_statements",
]
