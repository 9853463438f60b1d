"""STS: a role must exist and let its caller in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.sts.responses import TokenResponse

from sagehost import roles
from sagehost.patches import correction


@correction.replaces(TokenResponse, "assume_role")
def _assume_role(original: Callable[[Any], Any], self: TokenResponse) -> Any:
    """moto hands out credentials for any role, of any name and account."""
    arn, external_id = str(self._get_param("RoleArn")), self._get_param("ExternalId")
    roles.authorize(arn, self.get_access_key(), external_id, self.partition)
    return original(self)
