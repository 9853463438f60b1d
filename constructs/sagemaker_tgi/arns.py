"""Names and ARNs that constructs agree on without a reference to each other."""

import aws_cdk as cdk

INVOKE_ACTIONS = ["sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"]
"""What a caller needs for whole answers and for streams; an action each in AWS's service authorization reference."""

# EndpointName and VariantName in the SageMaker API; at most 63 characters.
NAME_PATTERN = r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}"


def endpoint_arn(stack: cdk.Stack, endpoint_name: str) -> str:
    """ARN of an endpoint of the stack's account and region. SageMaker writes names in lower case there."""
    name = endpoint_name if cdk.Token.is_unresolved(endpoint_name) else endpoint_name.lower()
    return stack.format_arn(service="sagemaker", resource="endpoint", resource_name=name)


def log_group_name(endpoint_name: str) -> str:
    """The CloudWatch log group that SageMaker writes the endpoint's container logs to."""
    return f"/aws/sagemaker/Endpoints/{endpoint_name}"


def log_metric_namespace(endpoint_name: str) -> str:
    """Namespace of the metrics that are counted in that log. Plain text gives no dimensions to tell endpoints apart."""
    return f"SageMakerTgi/{endpoint_name}"


def log_group_arn(stack: cdk.Stack, name: str) -> str:
    """ARN of a log group of the stack's account and region."""
    return stack.format_arn(
        service="logs",
        resource="log-group",
        resource_name=name,
        arn_format=cdk.ArnFormat.COLON_RESOURCE_NAME,
    )


def s3_arn(stack: cdk.Stack, resource: str) -> str:
    """ARN of a bucket, or of objects as `bucket/key`."""
    return stack.format_arn(
        service="s3", region="", account="", resource=resource, arn_format=cdk.ArnFormat.NO_RESOURCE_NAME
    )


def ec2_arn(stack: cdk.Stack, resource: str, resource_name: str) -> str:
    """ARN of an EC2 resource, such as a subnet, of the stack's account and region."""
    return stack.format_arn(service="ec2", resource=resource, resource_name=resource_name)
