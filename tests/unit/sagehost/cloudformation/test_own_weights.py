"""An environment with weights and an image of another account, under the policies that docs/own-weights.md shows."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from aws_cdk.assertions import Template

from mistral7b.environment import Environment
from mistral7b_stacks.stage import EnvironmentStage
from tests.documents import code
from tests.unit.sagehost.cloudformation.conftest import Account
from tests.variants import ROOT, new_app

BUCKET_POLICY, KEY_STATEMENT, REPOSITORY_POLICY = code(ROOT / "docs" / "own-weights.md", "json")
PREFIX, STACK, IMAGE = "mistral-7b/support-answers/3/", "mistral-7b-support-endpoint", "1.1.0-patched"
ADMINISTRATION = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}


@dataclass
class Owner:
    """The other account, with encrypted weights in its bucket; `policies`: which of bucket and key let others in."""

    user: Account
    policies: frozenset[str]

    def __post_init__(self) -> None:
        self.account = Account()
        self.bucket = f"research-models-{self.account.id}"
        root = {"Principal": {"AWS": f"arn:aws:iam::{self.account.id}:root"}}
        shared = [json.loads(self.filled(KEY_STATEMENT))] if "key" in self.policies else []
        statements = [ADMINISTRATION | root, *shared]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        self.key = self.account.client("kms").create_key(Policy=policy)["KeyMetadata"]["Arn"]
        s3 = self.account.client("s3")
        s3.create_bucket(Bucket=self.bucket)
        for name in ("config.json", "model.safetensors"):
            encrypted = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.key}
            s3.put_object(Bucket=self.bucket, Key=f"{PREFIX}{name}", Body=b"{}", **encrypted)
        if "bucket" in self.policies:
            s3.put_bucket_policy(Bucket=self.bucket, Policy=self.filled(BUCKET_POLICY))

    def filled(self, policy: str) -> str:
        return policy.replace("111122223333", self.user.id).replace("research-models", self.bucket)

    def push(self, tag: str) -> str:
        ecr = self.account.client("ecr")
        ecr.create_repository(repositoryName="platform/tgi")
        manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json"})
        ecr.put_image(repositoryName="platform/tgi", imageManifest=manifest, imageTag=tag)
        ecr.set_repository_policy(repositoryName="platform/tgi", policyText=self.filled(REPOSITORY_POLICY))
        return f"{self.account.id}.dkr.ecr.{self.account.region}.amazonaws.com/platform/tgi:{IMAGE}"


def resources(owner: Owner, artifact: Mapping[str, str], **fields: Any) -> dict[str, Any]:
    """What the CDK makes of the environment."""
    given = {"uri": f"s3://{owner.bucket}/{PREFIX}", "account": owner.account.id, "kms_key_arn": owner.key, **artifact}
    where = {"name": "support", "account": owner.user.id, "region": owner.user.region, "compliance_packs": []}
    found = {key: value for key, value in given.items() if value}
    environment = Environment.model_validate({**where, "artifact": found, **fields})
    shown: Mapping[str, Any] = Template.from_stack(
        EnvironmentStage(new_app(), environment=environment).endpoint
    ).to_json()
    return dict(shown["Resources"])


def test_weights_and_image_of_another_account_are_deployed_under_the_guides_policies(account: Account) -> None:
    owner = Owner(account, frozenset(("bucket", "key")))
    account.deploy(STACK, resources(owner, {}, image={"uri": owner.push(IMAGE)}))
    model = account.client("sagemaker").list_models()["Models"][0]["ModelName"]
    container = account.client("sagemaker").describe_model(ModelName=model)["PrimaryContainer"]
    assert container["ModelDataSource"]["S3DataSource"]["S3Uri"] == f"s3://{owner.bucket}/{PREFIX}"
    tags = account.client("sagemaker").list_tags(
        ResourceArn=f"arn:aws:sagemaker:{account.region}:{account.id}:model/{model}"
    )["Tags"]
    assert [one for one in tags if "jumpstart" in one["Key"]] == []


@pytest.mark.parametrize(
    ("policies", "artifact"),
    [
        (("key",), {}),
        (("bucket",), {}),
        (("bucket", "key"), {"kms_key_arn": ""}),
        (("bucket", "key"), {"account": "444455556666"}),
        (("bucket", "key"), {"uri": "s3://{bucket}/mistral-7b/support-answers/4/"}),
    ],
    ids=["no bucket policy", "no statement in the key's policy", "no key in the file", "another owner", "no files"],
)
def test_weights_that_the_role_cannot_read_fail_the_model(
    account: Account, policies: tuple[str, ...], artifact: dict[str, str]
) -> None:
    owner = Owner(account, frozenset(policies))
    filled = {key: value.format(bucket=owner.bucket) for key, value in artifact.items()}
    assert account.create(STACK, resources(owner, filled)) == "ROLLBACK_COMPLETE"
    assert "Could not access model data" in account.reason(STACK, "CREATE_FAILED")


def test_an_image_that_is_not_in_its_repository_fails_the_model(account: Account) -> None:
    owner = Owner(account, frozenset(("bucket", "key")))
    assert account.create(STACK, resources(owner, {}, image={"uri": owner.push("2")})) == "ROLLBACK_COMPLETE"
    assert f"Requested image {owner.account.id}.dkr.ecr" in account.reason(STACK, "CREATE_FAILED")
