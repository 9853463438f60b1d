"""The log groups of constructs, and their keys."""

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from sagemaker_tgi.encryption_key import EncryptionKey


@dataclass(frozen=True)
class LogOptions:
    """How a construct keeps its log groups."""

    encryption_key: kms.IKey | None = None
    """A key that CloudWatch Logs may use for these groups. Default: see the construct."""
    retention: logs.RetentionDays = logs.RetentionDays.ONE_MONTH
    """How long log events are kept."""
    removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY
    """What happens to log groups, and to keys that the construct makes, on removal.

    A log group that is retained has to be deleted or imported before another of its name can be deployed.
    """

    def new_group(self, scope: Construct, name: str) -> logs.LogGroup:
        """A log group of the construct."""
        return logs.LogGroup(
            scope,
            "LogGroup",
            log_group_name=name,
            encryption_key=self.encryption_key,
            retention=self.retention,
            removal_policy=self.removal_policy,
        )

    def key_for(self, scope: Construct, name: str, *, description: str | None) -> kms.IKey:
        """The given key, or else a new one for log groups of this name."""
        return self.encryption_key or EncryptionKey(
            scope,
            "Key",
            log_group_names=[name],
            description=f"{description or scope.node.path}: {name}",
            removal_policy=self.removal_policy,
        )


DEFAULT_LOG = LogOptions()
"""Deleted after a month, and with the construct."""
