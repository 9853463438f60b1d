"""Data capture: which invocations are captured, and the record of one.

Format: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html, configuration:
API_DataCaptureConfig. Only answers of status 200 to InvokeEndpoint are captured: the API reference speaks of captured
data there alone (InferenceId "is added to the captured data"), and not with InvokeEndpointWithResponseStream.
"""

import base64
import json
import random
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self


@dataclass(frozen=True)
class Payload:
    """A body, with the content type that came with it."""

    content_type: str
    body: bytes


@dataclass(frozen=True)
class Invocation:
    """A request that was answered."""

    variant: str
    request: Payload
    response: Payload
    time: datetime
    inference_id: str | None = None

    @classmethod
    def now(cls, variant: str, request: Payload, response: Payload, inference_id: str | None) -> Self:
        """One that has just been answered."""
        return cls(variant, request, response, datetime.now(UTC), inference_id)


@dataclass(frozen=True)
class CapturePlan:
    """The DataCaptureConfig of an endpoint configuration.

    `percentage` of the invocations, 0 to 100, go to `bucket` under `prefix`, which is empty or ends in a slash.
    """

    percentage: int
    bucket: str
    prefix: str
    modes: frozenset[str]
    csv_types: frozenset[str]
    json_types: frozenset[str]
    kms_key_id: str | None = None

    @classmethod
    def of(cls, config: Mapping[str, Any] | None) -> Self | None:
        """The plan of a DataCaptureConfig; None if there is none, or it is disabled."""
        if not config or not config.get("EnableCapture", True):
            return None
        bucket, _, prefix = config["DestinationS3Uri"].partition("://")[2].partition("/")
        types = config.get("CaptureContentTypeHeader") or {}
        return cls(
            percentage=config["InitialSamplingPercentage"],
            bucket=bucket,
            prefix=prefix.rstrip("/") + "/" if prefix.strip("/") else "",
            modes=frozenset(option["CaptureMode"] for option in config["CaptureOptions"]),
            csv_types=frozenset(types.get("CsvContentTypes") or ()),
            json_types=frozenset(types.get("JsonContentTypes") or ()),
            kms_key_id=config.get("KmsKeyId") or None,
        )

    def samples(self) -> bool:
        """Whether the next invocation is captured: at random."""
        return random.random() * 100 < self.percentage

    def folder(self, endpoint: str, invocation: Invocation) -> str:
        """Prefix of the key of the object with an invocation: one for every hour."""
        return f"{self.prefix}{endpoint}/{invocation.variant}/{invocation.time:%Y/%m/%d/%H}/"

    def record(self, invocation: Invocation) -> str:
        """The line of an invocation, without its end."""
        data: dict[str, Any] = {}
        if self.modes & {"Input", "InputAndOutput"}:
            data["endpointInput"] = self._captured("INPUT", invocation.request)
        if self.modes & {"Output", "InputAndOutput"}:
            data["endpointOutput"] = self._captured("OUTPUT", invocation.response)
        named = {} if invocation.inference_id is None else {"inferenceId": invocation.inference_id}
        time = f"{invocation.time:%Y-%m-%dT%H:%M:%SZ}"
        metadata = {"eventId": str(uuid.uuid4()), **named, "inferenceTime": time}
        record = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
        return json.dumps(record, ensure_ascii=False, separators=(",", ":"))

    def _captured(self, mode: str, payload: Payload) -> dict[str, str]:
        media_type = payload.content_type.partition(";")[0].strip()
        encoding = "CSV" if media_type in self.csv_types else "JSON" if media_type in self.json_types else "BASE64"
        data = (
            base64.b64encode(payload.body).decode() if encoding == "BASE64" else payload.body.decode(errors="replace")
        )
        return {"observedContentType": payload.content_type, "mode": mode, "data": data, "encoding": encoding}


def summary(config: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The DataCaptureConfig that DescribeEndpoint shows for that of the endpoint's configuration."""
    if not config:
        return None
    enabled = config.get("EnableCapture", True)
    shown = {
        "EnableCapture": enabled,
        "CaptureStatus": "Started" if enabled else "Stopped",
        "CurrentSamplingPercentage": config["InitialSamplingPercentage"],
        "DestinationS3Uri": config["DestinationS3Uri"],
    }
    return shown | ({"KmsKeyId": config["KmsKeyId"]} if config.get("KmsKeyId") else {})
