"""GitHub as an identity provider: a key, and the tokens of jobs."""

import time

from joserfc import jwt
from joserfc.jwk import RSAKey

ISSUER = "https://token.actions.githubusercontent.com"
_KEY = RSAKey.generate_key(2048, {"kid": "github"})
KEYS = {ISSUER: {"keys": [_KEY.as_dict(private=False)]}}


def token(subject: str) -> str:
    """The token of a job: https://docs.github.com/en/actions/reference/security/oidc."""
    claims = {"iss": ISSUER, "aud": "sts.amazonaws.com", "sub": subject, "exp": int(time.time()) + 300}
    return jwt.encode({"alg": "RS256", "kid": "github"}, claims, _KEY)
