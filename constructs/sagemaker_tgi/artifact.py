"""What a model is made of: a container image in Amazon ECR, and weights in Amazon S3."""

import re
from dataclasses import dataclass

_ECR_URI = re.compile(
    r"(?P<account>[0-9]{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})"
)
# Bucket names: 3 to 63 lower-case letters, digits, dots and hyphens (Amazon S3 user guide, bucket naming rules).
_S3_URI = re.compile(r"s3://(?P<bucket>[a-z0-9][a-z0-9.-]{1,61}[a-z0-9])/(?P<key>[^*?$]+)")  # no wildcard of a policy
_ARCHIVE_SUFFIX = ".tar.gz"


@dataclass(frozen=True)
class ModelArtifact:
    """Weights in S3: a prefix of uncompressed files, or one gzipped tar archive.

    SageMaker starts faster from uncompressed files: it downloads them in parallel and has nothing to unpack.
    """

    bucket_name: str
    key: str
    account: str | None = None
    """Account that owns the bucket: nobody else's bucket of that name is read. Default: not checked."""
    encryption_key_arn: str | None = None
    """Customer managed key that encrypts the objects. Default: none."""

    @classmethod
    def from_uri(cls, uri: str) -> "ModelArtifact":
        """The artifact at `uri`: `s3://bucket/prefix/` or `s3://bucket/key.tar.gz`.

        Raises:
            ValueError: if `uri` is neither.
        """
        match = _S3_URI.fullmatch(uri)
        if match is None or not match["key"].endswith(("/", _ARCHIVE_SUFFIX)):
            raise ValueError(
                f"{uri!r} is no model artifact: write s3://bucket/prefix/ for uncompressed files, "
                f"with the slash at the end, or s3://bucket/key{_ARCHIVE_SUFFIX}"
            )
        return cls(match["bucket"], match["key"])

    @property
    def uri(self) -> str:
        """The S3 URI."""
        return f"s3://{self.bucket_name}/{self.key}"

    @property
    def is_archive(self) -> bool:
        """Whether it is a gzipped tar archive."""
        return self.key.endswith(_ARCHIVE_SUFFIX)

    @property
    def object_pattern(self) -> str:
        """The objects to read, as an IAM resource matches them: `bucket/key`, with `*` for the files of a prefix."""
        return f"{self.bucket_name}/{self.key}" if self.is_archive else f"{self.bucket_name}/{self.key}*"

    @property
    def conditions(self) -> dict[str, dict[str, str]]:
        """Conditions of a policy on a bucket of the right owner; none on AWS's, in which nothing is private."""
        return {"StringEquals": {"aws:ResourceAccount": self.account}} if self.account else {}


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
