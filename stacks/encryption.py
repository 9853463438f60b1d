"""The key of what a stack keeps: its log group, and captured requests where they are wanted."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from mistral7b.environment import Environment
from sagemaker_tgi import EncryptionKey


def encryption_key(
    scope: Construct, environment: Environment, *, log_group_names: Sequence[str], outlives_stack: bool
) -> kms.IKey:
    """The key of the environment file, or one of the stack's own.

    Each stack has its own: a key that stacks share could not be exchanged for another while both use it, as
    CloudFormation changes no export in use; and whoever may use the one need not read what the other encrypts.

    Args:
        scope: The stack.
        environment: The environment.
        log_group_names: Log groups of the stack.
        outlives_stack: Whether something stays, on removal, that cannot be read without the key.
    """
    if environment.encryption.kms_key_arn is not None:
        return kms.Key.from_key_arn(scope, "Key", environment.encryption.kms_key_arn)
    return EncryptionKey(
        scope,
        "Key",
        log_group_names=log_group_names,
        description=f"Mistral 7B, {environment.name}: {', '.join(log_group_names)}",
        removal_policy=cdk.RemovalPolicy.RETAIN if outlives_stack else cdk.RemovalPolicy.DESTROY,
    )
