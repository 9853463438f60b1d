"""Data capture: which invocations are captured, the record of one, and its delivery to S3.

Format: https://docs.aws.amazon.com/sagemaker/latest/dg/model-monitor-data-capture-endpoint.html, configuration:
API_DataCaptureConfig. Only answers to InvokeEndpoint are captured: the API reference speaks of captured data only there
(InferenceId "is added to the captured data"), and not with InvokeEndpointWithResponseStream.
"""

import asyncio
import base64
import json
import logging
import random
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, s3_backends

from sagehost import moto_app
from sagehost.accounts import url_suffix
from sagehost.clock import CLOCK
from sagehost.hosting.fleet import EndpointKey
from sagehost.roles import AccessDenied, check_action

_log = logging.getLogger(__name__)

Config = Mapping[str, Any]
"""A DataCaptureConfig."""


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
    inference_id: str | None = None
    time: datetime = field(default_factory=CLOCK.now)


def sampled(config: Config) -> bool:
    """Whether the next invocation is captured: at random."""
    return random.random() * 100 < float(config["InitialSamplingPercentage"])


def record(config: Config, invocation: Invocation) -> str:
    """The line of an invocation, without its end."""
    modes = {option["CaptureMode"] for option in config["CaptureOptions"]}
    types = config.get("CaptureContentTypeHeader") or {}
    data: dict[str, Any] = {}
    if modes & {"Input", "InputAndOutput"}:
        data["endpointInput"] = _captured("INPUT", invocation.request, types)
    if modes & {"Output", "InputAndOutput"}:
        data["endpointOutput"] = _captured("OUTPUT", invocation.response, types)
    named = {} if invocation.inference_id is None else {"inferenceId": invocation.inference_id}
    time = f"{invocation.time:%Y-%m-%dT%H:%M:%SZ}"
    metadata = {"eventId": str(uuid.uuid4()), **named, "inferenceTime": time}
    made = {"captureData": data, "eventMetadata": metadata, "eventVersion": "0"}
    return json.dumps(made, ensure_ascii=False, separators=(",", ":"))


def _captured(mode: str, payload: Payload, types: Mapping[str, list[str]]) -> dict[str, str]:
    media_type = payload.content_type.partition(";")[0].strip()
    text = {kind: media_type in (types.get(f"{kind.capitalize()}ContentTypes") or ()) for kind in ("CSV", "JSON")}
    encoding = next((kind for kind, named in text.items() if named), "BASE64")
    encoded = encoding == "BASE64"
    data = base64.b64encode(payload.body).decode() if encoded else payload.body.decode(errors="replace")
    return {"observedContentType": payload.content_type, "mode": mode, "data": data, "encoding": encoding}


def destination(config: Config, endpoint: str, invocation: Invocation) -> tuple[str, str]:
    """The bucket of an invocation's record, and the prefix of its key: one for every hour."""
    bucket, _, prefix = config["DestinationS3Uri"].partition("://")[2].partition("/")
    folder = f"{prefix.strip('/')}/{endpoint}/{invocation.variant}/{invocation.time:%Y/%m/%d/%H}/"
    return bucket, folder.removeprefix("/")


class Capture:
    """The data capture of one endpoint. `roles` are the ARNs of the execution roles of each variant's model.

    Records of the same hour that come while one is being written go into one file, as on AWS, which takes minutes.
    """

    def __init__(self, key: EndpointKey, config: Config, roles: Mapping[str, str]) -> None:
        self._key = key
        self._config = config
        self._roles = roles
        self._lock = threading.Lock()
        self._waiting: list[Invocation] = []
        self._delivering = False

    def offer(self, invocation: Invocation) -> None:
        """Capture an invocation, if it is in the sample. Does not wait: it is called on the event loop."""
        if not sampled(self._config):
            return
        with self._lock:
            self._waiting.append(invocation)
            if self._delivering:
                return
            self._delivering = True
        asyncio.get_running_loop().run_in_executor(None, self._deliver)

    def _deliver(self) -> None:
        while invocations := self._taken():
            files = defaultdict[tuple[str, str], list[Invocation]](list)
            for one in invocations:
                files[destination(self._config, self._key.name, one)].append(one)
            for (bucket, folder), together in files.items():
                try:
                    self._write(bucket, folder, together)
                except Exception as error:  # noqa: BLE001 - SageMaker loses the data silently; here the server's log tells
                    _log.warning("%d captured invocations of %s are lost: %s", len(together), self._key.name, error)

    def _taken(self) -> list[Invocation]:
        """What waits. If nothing does, the delivery has ended."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._delivering = bool(taken)
        return taken

    def _write(self, bucket: str, folder: str, invocations: list[Invocation]) -> None:
        first = invocations[0]
        name = f"{folder}{first.time:%M-%S}-{first.time.microsecond // 1000:03}-{uuid.uuid4()}.jsonl"
        self._check_role(self._roles[first.variant], bucket, name)
        key = self._config.get("KmsKeyId")
        moto_app.client("s3", self._key.account, self._key.region).put_object(
            Bucket=bucket,
            Key=name,
            Body="".join(f"{record(self._config, one)}\n" for one in invocations).encode(),
            **({"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}),
        )

    def _check_role(self, role: str, name: str, key: str) -> None:
        partition = role.split(":")[1]
        with moto_app.STATE:
            bucket: FakeBucket | None = s3_backends[self._key.account][partition].buckets.get(name)
            policy = (bucket.policy or b"{}").decode() if bucket else "{}"
            check_action(role, "s3:PutObject", f"arn:{partition}:s3:::{name}/{key}", {}, policy)
            if kms_key := self._kms_key(bucket):
                service = f"s3.{self._key.region}.{url_suffix(self._key.region)}"
                through = {"kms:viaservice": service, "kms:calleraccount": self._key.account}
                check_action(role, "kms:GenerateDataKey", kms_key.arn, through, kms_key.policy)

    def _kms_key(self, bucket: FakeBucket | None) -> Key | None:
        """The customer's key that the object is encrypted with: the capture's own, or the bucket's default."""
        rule = ((bucket and bucket.encryption) or {}).get("Rule", {})
        default = rule.get("ApplyServerSideEncryptionByDefault", {}).get("KMSMasterKeyID")
        key = self._config.get("KmsKeyId") or default
        return None if key is None else kms_key(key, self._key.account, self._key.region)


def kms_key(key: str, account: str, region: str) -> Key:
    """The key of an ARN, or of an id or alias in the account. Raises AccessDenied."""
    backend = kms_backends[key.split(":")[4] if key.startswith("arn:") else account][region]
    found: Key | None = backend.keys.get(backend.any_id_to_key_id(key))
    if found is None:
        raise AccessDenied(f"there is no KMS key {key}")
    return found


def summary(config: Config | None) -> dict[str, Any] | None:
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
