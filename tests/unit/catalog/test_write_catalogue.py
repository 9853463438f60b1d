"""The catalogue is written from JumpStart's manifests, here ones that are written by hand: no test has a connection."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from mistral7b.catalog.data import load
from tests.unit.catalog.jumpstart_bucket import INSTRUCT, REGIONS, SPECIFICATIONS, objects
from tools import write_catalogue


@pytest.fixture
def buckets(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """JumpStart's buckets in three regions; no other region has one."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        for region in REGIONS:
            put(region, objects(region))
        yield


def put(region: str, content: dict[str, Any]) -> None:
    s3 = boto3.client("s3", region, aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="secret")
    bucket = f"jumpstart-cache-prod-{region}"
    if region != "us-east-1":
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": region})
    else:
        s3.create_bucket(Bucket=bucket)
    for key, value in content.items():
        s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(value), ACL="public-read")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(write_catalogue, "FILE", tmp_path / "jumpstart.json")
    return tmp_path / "jumpstart.json"


def shipped() -> dict[str, Any]:
    """The catalogue of this project, cut down to the versions and regions of the buckets."""
    whole: dict[str, Any] = deepcopy(load("jumpstart.json"))
    written = {(s["model_id"], s["version"]) for s in SPECIFICATIONS}
    for id_, versions in whole["models"].items():
        whole["models"][id_] = [v for v in versions if (id_, v["version"]) in written]
        for version in whole["models"][id_]:
            version["regions"] = [r for r in version["regions"] if r in REGIONS]
    whole["image_account_by_region"] = {r: a for r, a in whole["image_account_by_region"].items() if r in REGIONS}
    return whole


@pytest.mark.usefixtures("buckets")
def test_what_is_written_is_the_catalogue_of_these_versions_and_regions(file: Path) -> None:
    assert write_catalogue.main() == 0
    written = json.loads(file.read_text(encoding="utf-8"))
    expected = shipped()
    del written["_about"], expected["_about"]
    assert [v["version"] for v in written["models"][INSTRUCT]] == ["1.0.0", "3.1.0"]
    assert json.dumps(written) == json.dumps(expected)  # in the same order, too


@pytest.mark.usefixtures("buckets")
def test_a_version_on_another_container_is_left_out_and_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_catalogue.main()
    assert capsys.readouterr().out.splitlines() == [
        f"{INSTRUCT} 10.0.0 is left out: it runs on djl-inference",
        "jumpstart.json: written; git diff shows what is new",
    ]


@pytest.mark.usefixtures("buckets")
def test_a_version_that_is_not_the_same_in_every_region_is_refused_and_nothing_written(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    published = write_catalogue.specifications

    def changed(region: str) -> Iterator[dict[str, Any]]:
        own = {"hosting_artifact_key": "elsewhere/"} if region == "us-east-1" else {}
        yield from (spec | own for spec in published(region))

    monkeypatch.setattr(write_catalogue, "specifications", changed)
    assert write_catalogue.main() == 1
    assert not file.exists()
    assert f"ValueError: {INSTRUCT} 3.1.0 is " in capsys.readouterr().err


@mock_aws
def test_without_any_bucket_nothing_is_written(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert write_catalogue.main() == 1
    assert not file.exists()
    assert "no version on TGI in any region" in capsys.readouterr().err
