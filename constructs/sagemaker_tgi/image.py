"""A container image in Amazon ECR."""

import re
from dataclasses import dataclass

_ECR_URI = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})"
)


@dataclass(frozen=True)
class EcrImage:
    """An image of a private ECR repository, with tag or digest."""

    uri: str
    account: str
    region: str
    repository: str

    @classmethod
    def from_uri(cls, uri: str) -> "EcrImage":
        """The image at `uri`: `<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>`, or with `@sha256:…`.

        Raises:
            ValueError: if `uri` is not of that form.
        """
        match = _ECR_URI.fullmatch(uri)
        if match is None:
            raise ValueError(
                f"{uri!r} is no ECR image: write <account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag>"
            )
        return cls(uri, match["account"], match["region"], match["repository"])
