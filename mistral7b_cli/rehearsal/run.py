"""What an action runs with: the roles that it assumes, and artifacts in the pipeline's stores.

What a role may do is evaluated before it is done, as the embedded AWS refuses nothing of this by itself.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mistral7b_cli.rehearsal.cloud import BackstageError, Cloud
from mistral7b_cli.rehearsal.execution import Action, Execution
from sagehost.pipelines.definition import EXECUTION_ID, Definition
from sagehost.pipelines.definition import Action as Declared

SERVICE = "codepipeline.amazonaws.com"

Context = Mapping[str, str | None]
"""Values of condition keys; None for one that the request does not have."""
_NOTHING: Context = {}


class ActionFailedError(Exception):
    """An action fails; the text is CodePipeline's message."""


@dataclass(frozen=True)
class Session:
    """A session of a role."""

    cloud: Cloud
    role: str
    credentials: Mapping[str, str]

    @property
    def account(self) -> str:
        """The account of the role."""
        return self.role.split(":")[4]

    def client(self, service: str, region: str) -> Any:
        """A boto3 client with the session's credentials."""
        return self.cloud.session_client(service, region, self.credentials)

    def may(self, action: str, resource: str, policy: str = "{}", context: Context = _NOTHING) -> bool:
        """Whether a policy of the role, or that of the resource, allows an action."""
        asked = {"role_arn": self.role, "action": action, "resource": resource}
        return bool(self.cloud.backstage("allows", **asked, context=context, resource_policy=policy)["allowed"])

    def require(self, action: str, resource: str, policy: str = "{}", context: Context = _NOTHING) -> None:
        """Raises ActionFailedError unless it may."""
        if not self.may(action, resource, policy, context):
            raise ActionFailedError(f"{self.role} is not authorized to perform: {action} on resource: {resource}")


@dataclass(frozen=True)
class Artifact:
    """An artifact in the store of a region."""

    bucket: str
    key: str
    region: str


@dataclass(frozen=True)
class Run:
    """An action as it runs."""

    cloud: Cloud
    definition: Definition
    execution: Execution
    clone: Path
    cancelled: threading.Event
    """Set when the rehearsal is interrupted."""
    artifacts: dict[str, Artifact]
    """Of the execution, by name: the action adds its own."""
    declared: Declared
    shown: Action
    folder: Path

    def configuration(self, key: str) -> str:
        """A value of the action's configuration; empty where it has none."""
        return self.declared.configuration.get(key, "").replace(EXECUTION_ID, self.execution.id)

    def role_of(self, service: str, role: str, source_arn: str) -> Session:
        """A session of a role for a service that acts for a resource."""
        asked = {"role": role, "service": service, "source_arn": source_arn, "session": self.execution.id}
        try:
            return Session(self.cloud, role, self.cloud.backstage("assume", **asked))
        except BackstageError as error:
            raise ActionFailedError(str(error)) from error

    @property
    def pipeline_role(self) -> Session:
        """A session of the pipeline's role."""
        return self.role_of(SERVICE, self.definition.role_arn, self.definition.arn)

    def role(self) -> Session:
        """A session of the action's own role, which the pipeline's assumes, or of the pipeline's if it has none."""
        pipeline, role = self.pipeline_role, self.declared.role_arn
        if role is None:
            return pipeline
        sts = pipeline.client("sts", self.definition.region)
        made = sts.assume_role(RoleArn=role, RoleSessionName=self.execution.id)
        return Session(self.cloud, role, made["Credentials"])

    def put(self, name: str, content: bytes, who: Session, *, acl: bool = False) -> Artifact:
        """Puts an artifact into the store of the action's region, encrypted with the store's key.

        With an ACL, as source actions do, it takes `s3:PutObjectAcl`, too (user guide, "Manage the CodePipeline service
        role"; aws/aws-cdk issue 13557).

        Raises:
            ActionFailedError: the role may not.
        """
        store = self.definition.stores[self.declared.region]
        key = f"{self.definition.name[:20]}/{name[:10]}/{secrets.token_hex(4)}"
        made = Artifact(store.bucket, key, self.declared.region)
        self._require(who, "s3:PutObject", "kms:GenerateDataKey", made)
        if acl and not who.may("s3:PutObjectAcl", f"arn:aws:s3:::{made.bucket}/{key}"):
            raise ActionFailedError("Upload to S3 failed with the following error: Access Denied (s3:PutObjectAcl)")
        given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": store.key} if store.key else {}
        given |= {"ACL": "bucket-owner-full-control"} if acl else {}
        who.client("s3", made.region).put_object(Bucket=made.bucket, Key=key, Body=content, **given)
        return made

    def get(self, name: str, who: Session) -> bytes:
        """Content of an input artifact. One of another region is first copied to the action's own by the pipeline.

        Raises:
            ActionFailedError: the role may not.
        """
        artifact = self.artifacts[name]
        if artifact.region != self.declared.region:
            pipeline = self.pipeline_role
            artifact = self.put(name, self._read(artifact, pipeline), pipeline)
        return self._read(artifact, who)

    def _read(self, artifact: Artifact, who: Session) -> bytes:
        self._require(who, "s3:GetObject", "kms:Decrypt", artifact)
        found = who.client("s3", artifact.region).get_object(Bucket=artifact.bucket, Key=artifact.key)
        content: bytes = found["Body"].read()
        return content

    def _require(self, who: Session, on_object: str, on_key: str, artifact: Artifact) -> None:
        """The store's bucket belongs to the pipeline's account; its key says itself whose it is."""
        client = self.cloud.client
        s3 = client("s3", self.definition.account, artifact.region)
        policy = _policy(lambda: s3.get_bucket_policy(Bucket=artifact.bucket))
        there = {"s3:resourceaccount": self.definition.account}
        who.require(on_object, f"arn:aws:s3:::{artifact.bucket}/{artifact.key}", policy, there)
        key = self.definition.stores[artifact.region].key
        if key and key.startswith("arn:"):
            kms = client("kms", key.split(":")[4], artifact.region)
            key = str(kms.describe_key(KeyId=key)["KeyMetadata"]["Arn"])  # policies name keys, never aliases
            aliases = kms.list_aliases(KeyId=key)["Aliases"]
            through = {
                "kms:viaservice": f"s3.{artifact.region}.amazonaws.com",
                "kms:resourcealiases": aliases[0]["AliasName"] if aliases else None,
            }
            policy = _policy(lambda: kms.get_key_policy(KeyId=key, PolicyName="default"))
            who.require(on_key, key, policy, through)


def _policy(get: Callable[[], Mapping[str, Any]]) -> str:
    """The policy of a bucket or a key; nothing where there is none: the call that follows says what is missing."""
    try:
        return str(get()["Policy"])
    except ClientError:
        return "{}"
