"""KMS: ids of keys that a request chooses, those of multi-Region keys among them."""

from __future__ import annotations

import functools
from collections.abc import Callable

from moto.kms.exceptions import ValidationException
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse

from sagehost.patches import correction
from sagehost.patches.chosen_ids import chosen_by_tag

_KEY_ID = r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def install() -> None:
    """Apply the corrections."""
    by_tag = chosen_by_tag("generate_key_id", _KEY_ID, lambda kms: kms.keys, ValidationException)
    correction.replace(KmsBackend, "create_key", by_tag)
    correction.replace(KmsResponse, "_validate_cmk_id", _present_is_valid)


def _present_is_valid(original: Callable[[KmsResponse, str], None]) -> Callable[[KmsResponse, str], None]:
    """Replaces `KmsResponse._validate_cmk_id`: moto expects hyphens in ids of multi-Region keys, where KMS has none."""

    @functools.wraps(original)
    def _validate_cmk_id(self: KmsResponse, key_id: str) -> None:
        if key_id not in self.kms_backend.keys:
            original(self, key_id)

    return _validate_cmk_id
