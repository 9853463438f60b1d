"""What an environment keeps: its key, and captured requests where they are wanted."""

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from mistral7b.environment import DataCapture as DataCaptureSettings
from mistral7b.environment import Environment
from sagemaker_tgi import DataCapture, DataCaptureBucket, EncryptionKey
from stacks.base import EnvironmentStack
from stacks.names import log_group_names


class StorageStack(EnvironmentStack):
    """The key of the environment's log groups and captured requests, and the bucket of the latter.

    Network and endpoint stack import them, so that they are removed last: a log group whose key has gone cannot
    be read.
    """

    def __init__(self, scope: Construct, construct_id: str, *, environment: Environment) -> None:
        """Defines the stack."""
        super().__init__(scope, construct_id, environment=environment, description="encryption key, captured requests")
        given = environment.encryption.kms_key_arn
        self.key: kms.IKey = (
            kms.Key.from_key_arn(self, "Key", given) if given is not None else _own_key(self, environment)
        )
        """The key of log groups and captured requests."""
        self.data_capture: DataCapture | None = None
        """Where requests and answers are kept; None where they are not."""
        if environment.data_capture is not None:
            self.data_capture = _data_capture(self, environment.data_capture, environment, self.key)
            cdk.CfnOutput(
                self,
                "DataCaptureUri",
                value=self.data_capture.bucket.s3_url_for_object(self.data_capture.prefix),
                description="Where captured requests are, by endpoint, variant and hour",
            )
        cdk.CfnOutput(self, "KeyArn", value=self.key.key_arn, description="Key of log groups and captured requests")


def needs_storage(environment: Environment) -> bool:
    """Whether there is anything to keep: CloudFormation makes no stack of nothing."""
    return environment.encryption.kms_key_arn is None or environment.data_capture is not None


def encryption_key(scope: Construct, environment: Environment, storage: StorageStack | None) -> kms.IKey:
    """The key of log groups, for a stack that may do without a storage stack."""
    if storage is not None:
        return storage.key
    return kms.Key.from_key_arn(scope, "Key", environment.encryption.kms_key_arn or "")


def _own_key(scope: Construct, environment: Environment) -> kms.IKey:
    removal = environment.removal
    outlives = removal.log_group == "retain" or (
        environment.data_capture is not None and removal.captured_data == "retain"
    )
    return EncryptionKey(
        scope,
        "Key",
        log_group_names=log_group_names(environment),
        description=f"Mistral 7B, {environment.name}: log groups and captured requests",
        removal_policy=cdk.RemovalPolicy.RETAIN if outlives else cdk.RemovalPolicy.DESTROY,
    )


def _data_capture(
    scope: Construct, settings: DataCaptureSettings, environment: Environment, key: kms.IKey
) -> DataCapture:
    kept = DataCaptureBucket(
        scope,
        "DataCapture",
        encryption_key=key,
        retention=cdk.Duration.days(settings.retention_days),
        removal_policy=cdk.RemovalPolicy(environment.removal.captured_data.upper()),
    )
    return DataCapture(
        bucket=kept.bucket,
        encryption_key=key,
        sampling_percentage=settings.sampling_percentage,
        modes=settings.modes,
    )
