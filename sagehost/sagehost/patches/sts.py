"""STS: a role must exist and let its caller in, and a token must be its identity provider's."""

from collections.abc import Callable
from typing import Any

from moto.sts.responses import TokenResponse

from sagehost import roles, web_identity
from sagehost.patches import correction


@correction.replaces(TokenResponse, "assume_role")
def _assume_role(original: Callable[[Any], Any], self: TokenResponse) -> Any:
    """moto hands out credentials for any role, of any name and account."""
    arn, external_id = str(self._get_param("RoleArn")), self._get_param("ExternalId")
    roles.check(arn, by=roles.identity(self.get_access_key(), self.partition), external_id=external_id)
    return original(self)


@correction.replaces(TokenResponse, "assume_role_with_web_identity")
def _assume_role_with_web_identity(original: Callable[[Any], Any], self: TokenResponse) -> Any:
    """moto hands out credentials for any role and any token."""
    web_identity.check(str(self._get_param("RoleArn")), str(self._get_param("WebIdentityToken")))
    return original(self)
