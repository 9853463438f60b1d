"""KMS: ids of keys that a request chooses, those of multi-Region keys among them; symmetric keys without an RSA key."""

from collections.abc import Callable
from typing import Any

import moto.kms.models
from moto.kms.exceptions import ValidationException
from moto.kms.models import KmsBackend
from moto.kms.responses import KmsResponse

from sagehost.patches import correction
from sagehost.patches.chosen_ids import chosen_by_tag

_KEY_ID = r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


correction.replaces(KmsBackend, "create_key")(
    chosen_by_tag("generate_key_id", _KEY_ID, lambda kms: kms.keys, ValidationException)
)


@correction.replaces(moto.kms.models, "generate_private_key")
def _generate_private_key(original: Callable[[str], Any], key_spec: str) -> Any:
    """moto draws an RSA key for symmetric ones, too, which takes a fifth of a second, and shows its public half."""
    return None if key_spec == "SYMMETRIC_DEFAULT" else original(key_spec)


@correction.replaces(KmsResponse, "_validate_cmk_id")
def _validate_cmk_id(original: Callable[[KmsResponse, str], None], self: KmsResponse, key_id: str) -> None:
    """moto expects hyphens in ids of multi-Region keys, where KMS has none."""
    if key_id not in self.kms_backend.keys:
        original(self, key_id)
