"""Writes mistral7b/catalog/jumpstart.json from JumpStart's manifests: `python tools/write_catalogue.py`.

They are read as the SageMaker Python SDK 2.257 reads them; versions on other containers than TGI are named, no more.
Written without a connection to AWS: tested on a manifest and specifications written by hand in the published form.
"""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from mistral7b.catalog.models import JUMPSTART_IDS

FILE = Path(__file__).resolve().parent.parent / "mistral7b" / "catalog" / "jumpstart.json"
REPOSITORY = "huggingface-pytorch-tgi-inference"
_IMAGE = re.compile(r"(\d{12})\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?/([^:]+):(.+)")


def specifications(region: str) -> Iterator[dict[str, Any]]:
    """The specification of every version of both models in `region`; none where JumpStart has no bucket."""
    s3 = boto3.client("s3", region_name=region, config=Config(signature_version=UNSIGNED))

    def read(key: str) -> Any:
        return json.load(s3.get_object(Bucket=f"jumpstart-cache-prod-{region}", Key=key)["Body"])

    try:
        manifest = read("models_manifest.json")
    except s3.exceptions.NoSuchBucket:
        return
    yield from (read(header["spec_key"]) for header in manifest if header["model_id"] in JUMPSTART_IDS.values())


def image(spec: dict[str, Any], region: str) -> tuple[str, ...]:
    """Account, repository and tag of the image on the default instance type; empty where the SDK would find none."""
    kind, found = spec["default_inference_instance_type"], spec.get("hosting_instance_type_variants") or {}
    for name in (kind, kind.split(".")[1]):  # an instance type's own variant, else its family's
        alias = found.get("variants", {}).get(name, {}).get("regional_properties", {}).get("image_uri", "")
        uri = found.get("regional_aliases", {}).get(region, {}).get(alias.removeprefix("$"), "")
        if match := _IMAGE.fullmatch(uri):
            return match.groups()
    return ("", "", "")


def entry(spec: dict[str, Any], tag: str) -> dict[str, Any]:
    """A version as the catalogue has it, still without its regions."""
    variants = spec["hosting_instance_type_variants"]["variants"]
    if "artifact_key" in json.dumps(variants):
        raise ValueError(f"{spec['model_id']} {spec['version']} has artifacts by instance type: the form has one")
    own = {name: variant.get("properties", {}).get("environment_variables", {}) for name, variant in variants.items()}
    kinds = {*spec["supported_inference_instance_types"], *(name for name in own if name.startswith("ml."))}
    merged = {kind: own.get(kind.split(".")[1], {}) | own.get(kind, {}) for kind in sorted(kinds)}
    return {
        "version": spec["version"],
        "default_instance_type": spec["default_inference_instance_type"],
        "instance_types": spec["supported_inference_instance_types"],
        "artifact_key": spec.get("hosting_prepacked_artifact_key") or spec["hosting_artifact_key"],
        "instance_environment": {kind: variables for kind, variables in merged.items() if variables},
        "regions": [],
        "image_tag": tag,
    }


def catalogue(regions: list[str]) -> tuple[dict[str, Any], set[str]]:
    """The catalogue of these regions, and remarks for a person. ValueError: what is published does not fit its form."""
    versions: dict[str, dict[str, Any]] = {id_: {} for id_ in JUMPSTART_IDS.values()}
    seen, remarks = dict[str, Any](), set[str]()

    def only(what: str, value: Any, where: str) -> Any:
        if seen.setdefault(what, value) != value:
            raise ValueError(f"{what} is {value} by {where}, and {seen[what]} before: the form has one")
        return value

    for region in regions:
        for spec in specifications(region):
            name = f"{spec['model_id']} {spec['version']}"
            account, repository, tag = image(spec, region)
            if repository != REPOSITORY:
                remarks.add(f"{name} is left out: it runs on {repository or f'no image in {region}'}")
                continue
            # The SDK refuses the first two, and deploys another configuration than this by default of the third.
            fields = ("deprecated", "inference_vulnerable", "inference_configs")
            remarks |= {f"{name} has {field}" for field in fields if spec.get(field)}
            only("environment", {v["name"]: str(v["default"]) for v in spec["inference_environment_variables"]}, name)
            only(f"account {region}", account, name)
            version = only(name, entry(spec, tag), region)
            versions[spec["model_id"]].setdefault(spec["version"], version | {"regions": []})["regions"].append(region)
    if not all(versions.values()):
        raise ValueError("a model has no version on TGI in any region")
    return {
        "_about": "Every version on TGI that SageMaker JumpStart publishes. tools/write_catalogue.py writes it anew.",
        "image_repository": REPOSITORY,
        "environment": seen["environment"],
        "image_account_by_region": {r: seen[f"account {r}"] for r in regions if f"account {r}" in seen},
        "models": {i: [v[n] for n in sorted(v, key=lambda n: [*map(int, n.split("."))])] for i, v in versions.items()},
    }, remarks


def main() -> int:
    """Writes the file, or says why not: then it stays as it was."""
    regions = [r for p in ("aws", "aws-cn") for r in boto3.Session().get_available_regions("sagemaker", p)]
    try:
        found, remarks = catalogue(sorted(regions))
    except (BotoCoreError, ClientError, ValueError, KeyError) as error:
        print(f"{FILE.name} is not written: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    print(*sorted(remarks), f"{FILE.name}: written; git diff shows what is new", sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
