"""Requests and answers of an endpoint, kept in S3."""

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from sagemaker_tgi.compliance import acknowledge_rule
from sagemaker_tgi.private_bucket import AccessLogBucket, PrivateBucket
from sagemaker_tgi.props import PropsCheck

_DAY, _MOST_DAYS = 86_400, 2**31 - 1  # an expiry is a positive number of days (Days, LifecycleExpiration in the S3 API)


@dataclass(frozen=True)
class DataCapture:
    """Where a share of an endpoint's requests and answers goes, as JSON lines below `prefix`."""

    bucket: s3.IBucket
    encryption_key: kms.IKey
    prefix: str = "captured"
    sampling_percentage: int = 100
    """How many of a hundred requests are kept."""
    modes: Sequence[str] = ("Input", "Output")
    """Requests (`Input`), answers (`Output`), or both."""

    def check(self, check: PropsCheck) -> None:
        """Notes what is wrong. Limits: DataCaptureConfig and CaptureOption in the SageMaker API."""
        check.between("data_capture.sampling_percentage", self.sampling_percentage, 0, 100)
        check.matches("data_capture.prefix", self.prefix, r"[a-zA-Z0-9._/-]{1,200}", "use letters, digits and . _ / -")
        if len(set(self.modes)) < len(self.modes):
            check.reject("data_capture.modes", list(self.modes), "says one twice", "name each mode once")
        for mode in self.modes:
            check.matches("data_capture.modes", mode, "Input|Output", "use Input, Output or both")
        if not self.modes:
            check.reject("data_capture.modes", [], "captures nothing", "use Input, Output or both")

    def to_property(self) -> sagemaker.CfnEndpointConfig.DataCaptureConfigProperty:
        """As a property of the endpoint configuration. JSON is kept as text; SageMaker would encode it otherwise."""
        return sagemaker.CfnEndpointConfig.DataCaptureConfigProperty(
            enable_capture=True,
            initial_sampling_percentage=self.sampling_percentage,
            destination_s3_uri=self.bucket.s3_url_for_object(self.prefix),
            kms_key_id=self.encryption_key.key_arn,
            capture_options=[
                sagemaker.CfnEndpointConfig.CaptureOptionProperty(capture_mode=mode) for mode in self.modes
            ],
            capture_content_type_header=sagemaker.CfnEndpointConfig.CaptureContentTypeHeaderProperty(
                json_content_types=["application/json"]
            ),
        )


class DataCaptureBucket(Construct):
    """The bucket of captured requests: private, encrypted, versioned, TLS only, logged; objects expire.

    What users ask can hold personal data, so every object is deleted after its retention, with all its versions.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        encryption_key: kms.IKey,
        retention: cdk.Duration,
        removal_policy: cdk.RemovalPolicy = cdk.RemovalPolicy.RETAIN,
    ) -> None:
        """Defines the bucket, and one for its access log.

        Args:
            encryption_key: Key of the captured requests.
            retention: How long they are kept; at least 1 day.
            removal_policy: What happens to both buckets on removal. AWS deletes no bucket that still holds objects.
        """
        with PropsCheck(scope, construct_id) as check:
            check.seconds_between("retention", retention, _DAY, _DAY * _MOST_DAYS)
        super().__init__(scope, construct_id)
        access_log = AccessLogBucket(self, "AccessLog", removal_policy=removal_policy)
        self.bucket: s3.IBucket = PrivateBucket(
            self,
            "Bucket",
            encryption_key=encryption_key,
            retention=retention,
            access_log=access_log,
            removal_policy=removal_policy,
        )
        """The bucket."""
        acknowledge_rule(
            self,
            "S3BucketReplicationEnabled",
            "captured requests are copies that expire; a second region would double where personal data is",
        )
