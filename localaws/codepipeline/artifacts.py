"""Artifacts: zip files in the artifact stores, written and read in the name of whoever needs them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from localaws import moto_app
from localaws.codepipeline import identity
from localaws.codepipeline.definition import Definition
from localaws.codepipeline.execution import ActionRun, Artifact
from localaws.codepipeline.identity import Identity
from localaws.codepipeline.pipeline import ActionFailed

_LETTERS = string.ascii_letters + string.digits


def region_of(run: ActionRun) -> str:
    """The region in which an action runs."""
    return run.action.region or run.execution.definition.region


def put(run: ActionRun, name: str, file: Path, who: Identity, *, with_acl: bool = False) -> Artifact:
    """Put a file into the store of the action's region, encrypted with the store's key. Raises ActionFailed.

    With an ACL, as source actions do, it takes `s3:PutObjectAcl`, too (user guide, "Manage the CodePipeline service
    role"; aws/aws-cdk issue 13557).
    """
    definition, region = run.execution.definition, region_of(run)
    key = f"{definition.name[:20]}/{name[:10]}/{''.join(secrets.choice(_LETTERS) for _ in range(7))}"
    return _write(
        Artifact(name, definition.stores[region].bucket, key, region), file.read_bytes(), who, definition, with_acl
    )


def get(run: ActionRun, artifact: Artifact, folder: Path, who: Identity) -> Path:
    """Fetch an artifact, as a zip file in `folder`. Raises ActionFailed.

    One of another region is first copied to the store of the action's own, in the name of the pipeline.
    """
    definition, region = run.execution.definition, region_of(run)
    if artifact.region != region:
        pipeline = identity.of_pipeline(definition, run.execution.id)
        content = _read(artifact, pipeline, definition)
        artifact = Artifact(artifact.name, definition.stores[region].bucket, artifact.key, region)
        _write(artifact, content, pipeline, definition)
    file = folder / f"{artifact.name}.zip"
    file.write_bytes(_read(artifact, who, definition))
    return file


def _write(
    artifact: Artifact, content: bytes, who: Identity, definition: Definition, with_acl: bool = False
) -> Artifact:
    store = definition.stores[artifact.region]
    _require(who, "s3:PutObject", "kms:GenerateDataKey", artifact, definition)
    given = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": store.key} if store.key else {}
    if with_acl:
        refused = "Upload to S3 failed with the following error: Access Denied (s3:PutObjectAcl)"
        who.require("s3:PutObjectAcl", f"arn:aws:s3:::{artifact.bucket}/{artifact.key}", message=refused)
        given["ACL"] = "bucket-owner-full-control"
    client = who.client("s3", artifact.region)
    try:
        client.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=content, **given)
    except ClientError as error:
        raise _failed("upload", artifact, error) from error
    return artifact


def _read(artifact: Artifact, who: Identity, definition: Definition) -> bytes:
    _require(who, "s3:GetObject", "kms:Decrypt", artifact, definition)
    client = who.client("s3", artifact.region)
    try:
        content: bytes = client.get_object(Bucket=artifact.bucket, Key=artifact.key)["Body"].read()
    except ClientError as error:
        raise _failed("access", artifact, error) from error
    return content


def _failed(what: str, artifact: Artifact, error: ClientError) -> ActionFailed:
    reason = error.response["Error"]["Message"]
    return ActionFailed("PermissionError", f"Unable to {what} the artifact {artifact.bucket}/{artifact.key}: {reason}")


def _require(who: Identity, on_object: str, on_key: str, artifact: Artifact, definition: Definition) -> None:
    """The store's bucket belongs to the pipeline's account; its key says itself whose it is."""
    key = definition.stores[artifact.region].key
    s3 = moto_app.client("s3", definition.account, artifact.region)
    policy = _policy(lambda: s3.get_bucket_policy(Bucket=artifact.bucket))
    there: dict[str, str | None] = {"s3:resourceaccount": definition.account}
    who.require(on_object, f"arn:aws:s3:::{artifact.bucket}/{artifact.key}", resource_policy=policy, context=there)
    if key and key.startswith("arn:"):
        kms = moto_app.client("kms", key.split(":")[4], artifact.region)
        key = _key_behind(kms, key)  # policies name keys, never aliases
        policy = _policy(lambda: kms.get_key_policy(KeyId=key, PolicyName="default"))
        aliases = kms.list_aliases(KeyId=key)["Aliases"]
        through = {
            "kms:viaservice": f"s3.{artifact.region}.amazonaws.com",
            "kms:resourcealiases": aliases[0]["AliasName"] if aliases else None,
        }
        who.require(on_key, key, resource_policy=policy, context=through)


def _key_behind(kms: Any, name: str) -> str:
    """The ARN of a key; what is none is found missing by the call that follows."""
    try:
        return str(kms.describe_key(KeyId=name)["KeyMetadata"]["Arn"])
    except ClientError:
        return name


def _policy(get: Callable[[], Mapping[str, Any]]) -> str:
    """The policy of a bucket or a key; nothing where there is none: the call that follows says what is missing."""
    try:
        return str(get()["Policy"])
    except ClientError:
        return "{}"
