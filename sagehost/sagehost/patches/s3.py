"""S3: server access logs, chunked bodies, the listing of JumpStart's buckets."""

from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.models import FakeBucket, S3Backend
from moto.s3.responses import S3Response

from sagehost.accounts import JUMPSTART_BUCKET
from sagehost.aws_errors import Refused
from sagehost.patches import correction

_OWNER = "BucketOwnerEnforced"
"""Object ownership without ACLs: the default of new buckets since April 2023."""


@correction.replaces(FakeBucket, "_log_permissions_enabled_policy")
def _allows_logs(original: Callable[..., bool], target_bucket: FakeBucket, target_prefix: str | None) -> bool:
    """moto refuses to log to a bucket whose policy does not allow it yet.

    S3 requires that only of buckets with ACLs: where these are off, logs are delivered once the policy is there. The
    policy comes last in templates, as it names the source.
    """
    ownership: Any = target_bucket.ownership_rule  # a text, whatever moto declares
    return ownership in (None, _OWNER) or original(target_bucket, target_prefix)


@correction.replaces(S3Response, "_handle_v4_chunk_signatures")
def _dechunked(original: Callable[..., bytes], self: S3Response, body: bytes, decoded_length: int) -> bytes:
    """moto sets aside as many bytes as the header says."""
    if decoded_length > len(body):
        raise ValueError(f"of {decoded_length} bytes, at most {len(body)} have come")
    return original(self, body, decoded_length)


@correction.replaces(S3Response, "setup_class")
def _setup_class(original: Callable[..., None], self: S3Response, *args: Any, **given: Any) -> None:
    """moto fails where the chunks of a body are none."""
    try:
        original(self, *args, **given)
    except (ValueError, KeyError) as error:
        raise Refused("InvalidChunkSizeError", f"The body is not chunked as its headers say: {error}") from error


@correction.replaces(S3Backend, "log_incoming_request")
def _log_incoming_request(*_: Any) -> None:
    """moto writes an invented record as a file of its own for every request, at once.

    S3 delivers logs hours later, "on a best effort basis": here none come.
    """


@correction.replaces(S3Response, "list_objects_v2")
def _list_objects_v2(original: Callable[[S3Response], Any], self: S3Response) -> Any:
    """JumpStart's buckets are AWS's: what is asked for is there, as where a model is created, and nothing else."""
    if not JUMPSTART_BUCKET.fullmatch(self.bucket_name):
        return original(self)
    key = self._get_param("prefix", "")
    self.data["Action"] = "ListObjectsV2"
    found = [{"Key": f"{key}config.json" if key.endswith("/") else key, "Size": 0}] if key else []
    shown = {"Name": self.bucket_name, "Prefix": key, "KeyCount": len(found), "Contents": found}
    return self.serialized(ActionResult({**shown, "MaxKeys": 1000, "IsTruncated": False}))
