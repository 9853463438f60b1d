import pytest
from hypothesis import given
from hypothesis import strategies as st

from sagemaker_tgi import ModelArtifact

KEYS = st.from_regex(r"[a-z0-9][a-z0-9/._-]{0,40}(/|\.tar\.gz)", fullmatch=True)


@given(bucket=st.from_regex(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", fullmatch=True), key=KEYS)
def test_an_artifact_keeps_its_uri(bucket: str, key: str) -> None:
    artifact = ModelArtifact.from_uri(f"s3://{bucket}/{key}")
    assert (artifact.bucket_name, artifact.key) == (bucket, key)
    assert artifact.uri == f"s3://{bucket}/{key}"


def test_a_prefix_stands_for_all_objects_under_it() -> None:
    artifact = ModelArtifact.from_uri("s3://bucket/weights/v1/")
    assert not artifact.is_archive
    assert artifact.object_pattern == "bucket/weights/v1/*"


def test_an_archive_is_one_object() -> None:
    artifact = ModelArtifact.from_uri("s3://bucket/weights.tar.gz")
    assert artifact.is_archive
    assert artifact.object_pattern == "bucket/weights.tar.gz"


@pytest.mark.parametrize(
    "uri", ["s3://bucket/weights", "s3://bucket/", "https://bucket/w/", "s3://Bucket/w/", "w/", "s3://bucket/*/"]
)
def test_what_sagemaker_would_refuse_is_no_artifact(uri: str) -> None:
    with pytest.raises(ValueError, match=r"is no model artifact: write s3://bucket/prefix/"):
        ModelArtifact.from_uri(uri)
