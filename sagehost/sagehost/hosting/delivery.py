"""Delivery of captured invocations to S3, apart from the requests.

Those that come while one is being written go into one file together, as on AWS, which takes minutes.
"""

import asyncio
import logging
import threading
import uuid
from collections import defaultdict
from collections.abc import Mapping

from botocore.exceptions import ClientError
from moto.kms.models import Key, kms_backends
from moto.s3.models import FakeBucket, s3_backends

from sagehost import moto_app
from sagehost.accounts import url_suffix
from sagehost.hosting.capture import CapturePlan, Invocation
from sagehost.hosting.fleet import EndpointKey
from sagehost.hosting.permissions import DeniedError, check

_log = logging.getLogger(__name__)


class UndeliverableError(Exception):
    """There is no such place. SageMaker loses the data without a word; here the server's log tells."""


class Capture:
    """The data capture of one endpoint."""

    def __init__(self, key: EndpointKey, plan: CapturePlan, roles: Mapping[str, str]) -> None:
        """Data capture as in the plan; `roles` are the ARNs of the execution roles of each variant's model."""
        self._key = key
        self._plan = plan
        self._roles = roles
        self._lock = threading.Lock()
        self._waiting: list[Invocation] = []
        self._delivering = False

    def offer(self, invocation: Invocation) -> None:
        """Capture an invocation, if it is one of the sample. Called on the event loop, it does not wait."""
        if not self._plan.samples():
            return
        with self._lock:
            self._waiting.append(invocation)
            if self._delivering:
                return
            self._delivering = True
        asyncio.get_running_loop().run_in_executor(None, self._deliver)

    def _deliver(self) -> None:
        while invocations := self._taken():
            folders = defaultdict[str, list[Invocation]](list)
            for invocation in invocations:
                folders[self._plan.folder(self._key.name, invocation)].append(invocation)
            for folder, together in folders.items():
                try:
                    self._write(folder, together)
                except (ClientError, DeniedError, UndeliverableError) as error:
                    _log.warning("%d captured invocations of %s are lost: %s", len(together), self._key.name, error)
                except Exception:  # noqa: BLE001  # a thread has no caller
                    _log.exception("%d captured invocations of %s are lost", len(together), self._key.name)

    def _taken(self) -> list[Invocation]:
        """What waits. If nothing does, the delivery has ended."""
        with self._lock:
            taken, self._waiting = self._waiting, []
            self._delivering = bool(taken)
        return taken

    def _write(self, folder: str, invocations: list[Invocation]) -> None:
        first = invocations[0]
        milliseconds = first.time.microsecond // 1000
        name = f"{folder}{first.time:%M-%S}-{milliseconds:03}-{uuid.uuid4()}.jsonl"
        self._check_role(self._roles[first.variant], name)
        encryption = {} if self._plan.kms_key_id is None else {"SSEKMSKeyId": self._plan.kms_key_id}
        moto_app.client("s3", self._key.account, self._key.region).put_object(
            Bucket=self._plan.bucket,
            Key=name,
            Body="".join(f"{self._plan.record(invocation)}\n" for invocation in invocations).encode(),
            **encryption,
            **({"ServerSideEncryption": "aws:kms"} if encryption else {}),
        )

    def _check_role(self, role: str, name: str) -> None:
        with moto_app.STATE:
            s3 = s3_backends[self._key.account][role.split(":")[1]]
            bucket: FakeBucket | None = s3.buckets.get(self._plan.bucket)
            policy = (bucket.policy or b"{}").decode() if bucket else "{}"
            check(role, "s3:PutObject", f"arn:{role.split(':')[1]}:s3:::{self._plan.bucket}/{name}", {}, policy)
            if key := self._kms_key(bucket):
                service = f"s3.{self._key.region}.{url_suffix(self._key.region)}"
                through = {"kms:viaservice": service, "kms:calleraccount": self._key.account}
                check(role, "kms:GenerateDataKey", key.arn, through, key.policy)

    def _kms_key(self, bucket: FakeBucket | None) -> Key | None:
        """The customer's key that the object is encrypted with: the capture's own, or the bucket's default."""
        key = self._plan.kms_key_id
        if key is None:
            default = (
                ((bucket and bucket.encryption) or {}).get("Rule", {}).get("ApplyServerSideEncryptionByDefault", {})
            )
            key = default.get("KMSMasterKeyID")
        if key is None:
            return None
        backend = kms_backends[self._key.account][self._key.region]
        found: Key | None = backend.keys.get(backend.any_id_to_key_id(key))
        if found is None:
            raise UndeliverableError(f"there is no KMS key {key}")
        return found
