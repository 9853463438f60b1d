"""STS: a role must exist and let its caller in."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from moto.sts.responses import TokenResponse

from sagehost import roles
from sagehost.patches import correction


def install() -> None:
    """Apply the corrections."""
    correction.replace(TokenResponse, "assume_role", _checked)


def _checked(original: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Replaces `TokenResponse.assume_role`: moto hands out credentials for any role, of any name and account."""

    @functools.wraps(original)
    def assume_role(self: TokenResponse) -> Any:
        arn, external_id = str(self._get_param("RoleArn")), self._get_param("ExternalId")
        roles.authorize(arn, self.get_access_key(), external_id, self.partition)
        return original(self)

    return assume_role
