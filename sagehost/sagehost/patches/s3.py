"""S3: server access logs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.s3.models import FakeBucket, S3Backend

from sagehost.patches import correction

_OWNER = "BucketOwnerEnforced"
"""Object ownership without ACLs: the default of new buckets since April 2023."""


def install() -> None:
    """Apply the corrections."""
    correction.replace(FakeBucket, "_log_permissions_enabled_policy", _not_asked_of_owners)
    correction.replace(S3Backend, "log_incoming_request", _undelivered)


def _not_asked_of_owners(original: Callable[..., bool]) -> Any:
    """Replaces `FakeBucket._log_permissions_enabled_policy`.

    moto refuses to log to a bucket whose policy does not allow it yet. S3 asks that only of buckets with ACLs: where
    these are off, logs are delivered once the policy is there. It comes last in templates, as it names the source.
    """

    @functools.wraps(original)
    def _log_permissions_enabled_policy(target_bucket: FakeBucket, target_prefix: str | None) -> bool:
        ownership: Any = target_bucket.ownership_rule  # a text, whatever moto declares
        return ownership in (None, _OWNER) or original(target_bucket, target_prefix)

    return staticmethod(_log_permissions_enabled_policy)


def _undelivered(original: Callable[..., None]) -> Callable[..., None]:
    """Replaces `S3Backend.log_incoming_request`.

    moto writes a made-up record as a file of its own for every request, at once. S3 delivers logs hours later, "on a
    best effort basis": here none come.
    """

    @functools.wraps(original)
    def log_incoming_request(self: S3Backend, request: Any, bucket_name: str) -> None:
        del self, request, bucket_name

    return log_incoming_request
