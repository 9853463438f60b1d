"""ECR: images of other accounts, which containers of installed packages stand in for."""

from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from moto.ecr.exceptions import RepositoryNotFoundException
from moto.ecr.models import ECRBackend, ecr_backends

from sagehost.containers import installed
from sagehost.patches import correction


@correction.replaces(ECRBackend, "batch_get_image")
def _batch_get_image(
    original: Callable[..., Any], self: Any, name: str, registry: str | None = None, ids: list[Any] | None = None
) -> Any:
    """moto takes every registry for the caller's. In another's, an image is there if a package answers for it."""
    owner = ecr_backends[registry or self.account_id][self.region_name]
    if owner is self or name in owner.repositories:
        return original(owner, name, registry, ids)
    if not any(fnmatchcase(name, pattern) for pattern in installed()):
        raise RepositoryNotFoundException(name, owner.account_id)
    return {"images": [{"repositoryName": name, "registryId": registry, "imageId": one} for one in ids or ()]}
