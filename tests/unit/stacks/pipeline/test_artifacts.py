"""Where artifacts are: encrypted, expiring, logged, in every region that is deployed to."""

from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from mistral7b_stacks.pipeline.artifacts import ArtifactStore, objects_of
from tests.unit.stacks.pipeline.reading import of_type, resource, text
from tests.variants import PROMOTIONS, new_app

STORES = {"typical/pipeline": "typical", "variants/pipeline": "variants", "variants/pipeline-eu-west-1": "variants"}


@pytest.fixture(params=STORES)
def path(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def buckets(template: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The bucket of artifacts, and that of its access log."""
    found = of_type(template, "AWS::S3::Bucket")
    [kept] = [one for one in found if "LoggingConfiguration" in one["Properties"]]
    [log] = [one for one in found if "LoggingConfiguration" not in one["Properties"]]
    return kept, log


def test_artifacts_expire_after_the_files_days(path: str, templates: dict[str, Any]) -> None:
    rules = buckets(templates[path])[0]["Properties"]["LifecycleConfiguration"]["Rules"]
    days = PROMOTIONS[STORES[path]].settings.artifacts.retention_days
    assert rules[0]["ExpirationInDays"] == days
    assert rules[0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_artifacts_are_encrypted_with_a_key_that_rotates(path: str, templates: dict[str, Any]) -> None:
    [rule] = buckets(templates[path])[0]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    logical_id, _ = rule["ServerSideEncryptionByDefault"]["KMSMasterKeyID"]["Fn::GetAtt"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    assert templates[path]["Resources"][logical_id]["Properties"]["EnableKeyRotation"] is True


def test_nothing_reaches_a_bucket_without_tls(path: str, templates: dict[str, Any]) -> None:
    policies = of_type(templates[path], "AWS::S3::BucketPolicy")
    denials = [s for p in policies for s in p["Properties"]["PolicyDocument"]["Statement"] if s.get("Effect") == "Deny"]
    assert [(s["Action"], s["Condition"]) for s in denials] == [
        ("s3:*", {"Bool": {"aws:SecureTransport": "false"}})
    ] * len(of_type(templates[path], "AWS::S3::Bucket"))


def test_buckets_are_private_and_retained_with_their_key(path: str, templates: dict[str, Any]) -> None:
    for one in buckets(templates[path]):
        assert set(one["Properties"]["PublicAccessBlockConfiguration"].values()) == {True}
        assert one["DeletionPolicy"] == "RetainExceptOnCreate"
    keys = [r for n, r in templates[path]["Resources"].items() if n.startswith("ArtifactsKey")]
    assert [key["DeletionPolicy"] for key in keys] == ["RetainExceptOnCreate"]


def test_a_pipeline_of_one_region_has_one_store(templates: dict[str, Any]) -> None:
    properties = resource(templates["typical/pipeline"], "AWS::CodePipeline::Pipeline")["Properties"]
    store = properties["ArtifactStore"]
    bucket, key = store["Location"]["Ref"], store["EncryptionKey"]["Id"]["Fn::GetAtt"][0]
    assert templates["typical/pipeline"]["Resources"][bucket] == buckets(templates["typical/pipeline"])[0]
    assert templates["typical/pipeline"]["Resources"][key]["Type"] == "AWS::KMS::Key"
    assert "ArtifactStores" not in properties


def test_each_region_has_its_store_which_the_pipeline_knows_by_name(templates: dict[str, Any]) -> None:
    """What is deployed in a region is taken from an artifact store there, whose key and bucket let the environment's
    deploy role read. Source: CodePipeline user guide, cross-Region actions, cross-account pipelines.
    """
    properties = resource(templates["variants/pipeline"], "AWS::CodePipeline::Pipeline")["Properties"]
    stores = {store["Region"]: store["ArtifactStore"] for store in properties["ArtifactStores"]}
    assert set(stores) == {"us-east-1", "eu-west-1"}
    there = templates["variants/pipeline-eu-west-1"]
    assert stores["eu-west-1"]["Location"] == buckets(there)[0]["Properties"]["BucketName"]
    [alias] = of_type(there, "AWS::KMS::Alias")
    name = alias["Properties"]["AliasName"]
    assert text(stores["eu-west-1"]["EncryptionKey"]["Id"]) == f"arn:aws:kms:eu-west-1:444455556666:{name}"


def test_without_deployments_nobody_may_read_the_store() -> None:
    stack = cdk.Stack(new_app(), "Test")
    ArtifactStore(stack, "Artifacts", retention_days=1, deploy_role_arns=[])
    template = Template.from_stack(stack).to_json()
    sids = [
        s["Sid"]
        for policy in of_type(template, "AWS::S3::BucketPolicy")
        for s in policy["Properties"]["PolicyDocument"]["Statement"]
    ]
    assert sorted(sids) == ["DeliverAccessLog", "DenyWithoutTls", "DenyWithoutTls"]


@pytest.mark.parametrize(
    ("artifact", "keys"),
    [("Source", "mistral-7b-pipeline/Source/*"), ("Synth_Output", "mistral-7b-pipeline/Synth_Outp/*")],
)
def test_object_keys_are_truncated_as_codepipeline_does(artifact: str, keys: str) -> None:
    """CodePipeline cuts a pipeline's name to 20 characters and an artifact's to 10 in the keys of objects, which
    policies name. Source: CodePipeline user guide, troubleshooting.
    """
    assert objects_of(artifact) == keys
