"""Keys of what a stack keeps: log groups, and captured requests where they are wanted."""

from typing import Literal

from aws_cdk import aws_kms as kms
from constructs import Construct

from mistral7b.environment import Environment
from mistral7b_stacks.retention import REMOVAL
from sagemaker_tgi import EncryptionKey


def encryption_key(
    scope: Construct,
    construct_id: str,
    *,
    environment: Environment,
    log_group: str | None = None,
    removal: Literal["destroy", "retain"],
) -> kms.IKey:
    """The key of the environment file, or one of its own for what it encrypts, which stays or goes with that.

    Log groups and captured requests share no key: whoever may use the one need not read what the other encrypts.

    Args:
        scope: The stack.
        construct_id: Id within `scope`.
        environment: The environment.
        log_group: Name or pattern of the log groups that it encrypts. Default: no log group.
        removal: What happens, on removal, to what it encrypts.
    """
    given = environment.encryption.kms_key_arn
    if given is not None:
        return kms.Key.from_key_arn(scope, construct_id, given)
    return EncryptionKey(
        scope,
        construct_id,
        log_group_names=[log_group] if log_group else [],
        description=f"Mistral 7B, {environment.name}: {log_group or 'captured requests'}",
        removal_policy=REMOVAL[removal],
    )
