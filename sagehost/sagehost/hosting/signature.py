"""Who calls, from the Signature Version 4 of a request. The signature is not checked: there are no secrets here."""

import re
from dataclasses import dataclass

import moto.iam.models

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256\s+(?=.*SignedHeaders=)(?=.*Signature=).*Credential=([^/\s]+)/\d{8}/([a-z0-9-]+)/"
)


class NotSignedError(ValueError):
    """A request without a Signature Version 4."""


@dataclass(frozen=True)
class Caller:
    """The account that signed a request, and the region it was signed for."""

    account: str
    region: str


def caller(authorization: str | None) -> Caller:
    """The caller that an Authorization header names. Raises NotSignedError."""
    match = _CREDENTIAL.match(authorization or "")
    if match is None:
        raise NotSignedError("Missing Authentication Token")
    # Looked up on the module: which account a key belongs to is patched there.
    return Caller(str(moto.iam.models.get_account_id_from(match[1])), match[2])
