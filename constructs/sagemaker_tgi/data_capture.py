"""Requests and answers of an endpoint, kept in S3."""

from collections.abc import Sequence
from dataclasses import dataclass

from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sagemaker as sagemaker

from sagemaker_tgi.props import PropsCheck


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
        if sorted(self.modes) not in (["Input"], ["Output"], ["Input", "Output"]):
            check.reject("data_capture.modes", list(self.modes), "is no list of modes", "use Input, Output or both")

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
