"""Tokens of OpenID Connect for which STS gives a session of a role: AssumeRoleWithWebIdentity.

STS fetches an identity provider's keys from the provider. Here they are in a file, so that a laptop without a network
can be a provider: the variable SAGEHOST_OIDC_KEYS names it, JSON with a key set (RFC 7517) for each issuer's URL.
"""

import json
import os
import time
from pathlib import Path
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from moto.iam.models import iam_backends

from sagehost import policies, roles
from sagehost.aws_errors import Refused
from sagehost.policies import NotEvaluated, principals

VARIABLE = "SAGEHOST_OIDC_KEYS"
_ACTION = "sts:AssumeRoleWithWebIdentity"
_NO_JWT = "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"
_NO_KEY = (
    "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity "
    f"documentation for requirements (the embedded AWS reads keys from the file that {VARIABLE} names)"
)


def _invalid(message: str) -> Refused:
    return Refused("InvalidIdentityToken", message)


def check(role_arn: str, token: str) -> None:
    """Whether a token is an identity provider's of the role's account, and the role trusts what it says.

    Raises:
        Refused: it is none, or has expired, or is of a provider or for an audience that the account does not have.
        AccessDenied: there is no such role, or its trust policy does not let the token in.
    """
    partition, account = f"{role_arn}:::::".split(":")[1:5:3]
    issuer = _issuer(token)
    arn = f"arn:{partition}:iam::{account}:oidc-provider/{issuer.removeprefix('https://')}"
    found = [providers for iam in iam_backends[account].values() if (providers := iam.open_id_providers.get(arn))]
    if not issuer.startswith("https://") or not found:
        raise _invalid(f"No OpenIDConnect provider found in your account for {issuer}")
    claims = _verified(token, issuer)
    if claims.get("exp", 0) <= time.time():
        message = "Token expired: current date/time must be before the expiration date/time"
        raise Refused("ExpiredTokenException", message)
    if not set(policies.listed(claims.get("aud"))) & set(found[0].client_id_list):
        raise _invalid("Incorrect token audience")
    context = {f"{issuer.removeprefix('https://')}:{name}".lower(): str(value) for name, value in claims.items()}
    role = roles.find(role_arn)
    trust = policies.statements(role.assume_role_policy_document) if role else []
    try:
        trusted = policies.allows(trust, _ACTION, lambda one: arn in principals(one, "Federated"), context)
    except NotEvaluated as error:
        raise roles.AccessDenied(f"Not authorized to perform {_ACTION} ({error})") from error
    if not trusted:
        raise roles.AccessDenied(f"Not authorized to perform {_ACTION}")


def _issuer(token: str) -> str:
    """Whose token it says it is; it is not verified yet."""
    try:
        return str(json.loads(jws.extract_compact(token.encode()).payload).get("iss", ""))
    except (JoseError, ValueError, AttributeError):
        raise _invalid(_NO_JWT) from None


def _verified(token: str, issuer: str) -> dict[str, Any]:
    """The token's claims, by a key of its issuer."""
    file = os.environ.get(VARIABLE)
    keys = json.loads(Path(file).read_text(encoding="utf-8")).get(issuer) if file else None
    if keys is None:
        raise _invalid(_NO_KEY)
    try:
        return dict(jwt.decode(token, KeySet.import_key_set(keys), ["RS256", "ES256"]).claims)
    except (JoseError, ValueError):
        raise _invalid("The signature of the token is not one of its identity provider") from None
