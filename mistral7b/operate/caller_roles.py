"""Whether the roles of `callers` exist: a policy for one that does not fails the deployment."""

from collections.abc import Iterable
from typing import Any

from botocore.exceptions import ClientError


def missing_roles(iam: Any, names: Iterable[str]) -> list[str]:
    """Those of the roles that are not in the account of `iam`, a boto3 client; it takes `iam:GetRole`.

    Raises:
        ClientError: the account may not be asked.
    """
    return [name for name in names if not _exists(iam, name)]


def fix(missing: Iterable[str], file: object) -> str:
    """What to do about them."""
    return f"create {', '.join(missing)} first, or take it out of callers.role_names in {file}"


def _exists(iam: Any, name: str) -> bool:
    try:
        iam.get_role(RoleName=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchEntity":
            raise
        return False
    return True
