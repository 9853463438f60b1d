"""The key that encrypts an environment's log groups and captured requests."""

from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from sagemaker_tgi.arns import log_group_arn
from sagemaker_tgi.permissions import Permission, explain, policy_of
from sagemaker_tgi.props import PropsCheck

_LONGEST_DESCRIPTION = 8192  # DescriptionType in the AWS KMS API
# The longest that AWS KMS waits; a key that waits for its deletion is not billed, and can be taken back.
_PENDING_DAYS = 30


class EncryptionKey(kms.Key):
    """A key, rotated every year, that CloudWatch Logs may use only for the named log groups.

    Whoever else needs it gets that by an IAM policy, such as the one that `TgiExecutionRole` has for captured requests.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        log_group_names: Sequence[str] = (),
        description: str,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.DESTROY,
    ) -> None:
        """Defines the key.

        Args:
            log_group_names: Log groups of the stack's account and region that are encrypted with it, by name or with
                `*` for what may change. CloudWatch Logs needs the key for as long as events are read. Default: none.
            description: What it is for.
            removal_policy: What happens to the key on removal. A log group that is retained cannot be read without it.
                Default: it is deleted after 30 days, in which its deletion can be taken back.
        """
        with PropsCheck(scope, construct_id) as check:
            for name in log_group_names:
                check.names_log_group("log_group_names", name.replace("*", "x"))
            check.no_longer_than("description", description, _LONGEST_DESCRIPTION)
        stack = cdk.Stack.of(scope)
        permissions = [
            Permission(
                sid="AccountDecides",
                reason="the account's IAM policies decide who manages and uses the key; without this nobody could, "
                "ever. `*` is the key itself",
                principals=[iam.AccountRootPrincipal()],
                actions=["kms:*"],
                resources=["*"],
            )
        ]
        if log_groups := [log_group_arn(stack, name) for name in log_group_names]:
            # CloudWatch Logs user guide, "Encrypt log data in CloudWatch Logs using AWS Key Management Service"
            permissions += [
                Permission(
                    sid="LogsEncrypt",
                    reason="CloudWatch Logs encrypts these log groups and no others. `*` is the key itself",
                    principals=[iam.ServicePrincipal(f"logs.{stack.region}.{stack.url_suffix}")],
                    actions=["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"],
                    resources=["*"],
                    conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
                )
            ]
        super().__init__(
            scope,
            construct_id,
            description=description,
            enable_key_rotation=True,
            pending_window=cdk.Duration.days(_PENDING_DAYS),
            removal_policy=removal_policy,
            policy=policy_of(permissions),
        )
        explain(self, permissions)
